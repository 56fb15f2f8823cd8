"""Columns that signed-in people do not read, however they ask for them; and those that they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.database.privileges.reviewed import Columns, read_columns

if TYPE_CHECKING:
    import httpx

    from tests.database.privileges.cast import Caller
    from tests.database.privileges.catalog import Catalog, Relation
    from tests.database.privileges.requests import Api

REVIEWED = read_columns()


@pytest.fixture(scope="module")
def admin(callers: list[Caller]) -> Caller:
    """An org admin: where a column is closed to them, it is to everybody with their role in the database."""
    return next(c for c in callers if c.kind == "org admin" and c.organization == "nhf")


def is_closed(response: httpx.Response) -> bool:
    if response.status_code != 403:
        return False
    body = response.json()
    return (body["code"], body["message"].partition(" for ")[0]) == ("42501", "permission denied")


def found(api: Api, admin: Caller, relation: Relation) -> Columns:
    """Try each column in each way."""
    url, headers = f"/{relation.name}", admin.headers
    whole = api.catalog.filter_of(relation, admin.organization)
    own = {whole[0]: f"in.({','.join(whole[1])})"} if whole else {}
    readable = relation.open_columns("authenticated", "select")
    hidden, inserted, updated = set(), set(), set()
    for column in relation.columns:
        ways = [
            {"select": column},
            {"select": readable[0], "order": column},
            {"select": readable[0], column: "not.is.null"},
        ]
        closed = {is_closed(api.http.get(url, headers=headers, params=way)) for way in ways}
        assert len(closed) == 1, f"{column}: hidden from some ways of asking"
        if closed == {True}:
            hidden.add(column)
        if relation.is_table and column not in relation.generated:
            value = {column: api.catalog.rows[admin.organization][relation.name][column]}
            if not is_closed(api.http.post(url, headers=headers, json=value)):
                inserted.add(column)
            if not is_closed(api.http.patch(url, headers=headers, params=own, json=value)):
                updated.add(column)
    return Columns(frozenset(hidden), frozenset(inserted), frozenset(updated))


def test_columns_are_as_reviewed(api: Api, admin: Caller, catalog: Catalog) -> None:
    readable = [r for r in catalog.relations.values() if r.open_columns("authenticated", "select")]
    as_found = {relation.name: found(api, admin, relation) for relation in readable}
    assert {name: columns for name, columns in as_found.items() if columns != Columns()} == REVIEWED
