"""docs/reference/data-layer.md says what the database has: public statistics, columns, types and nulls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tools.data_types import documented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

# Each answers with one JSON array: its rows are those of a function that the API does not offer.
SERIES = {"get_activity_series": "get_activity_series", "get_monthly_series": "monthly_series"}


@pytest.fixture(scope="module")
def connection(stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


def test_every_public_statistic_is_documented_with_its_columns_in_order(
    connection: psycopg.Connection,
) -> None:
    relations = connection.execute("""
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
        order by c.relname, a.attnum
    """).fetchall()
    functions = connection.execute(
        """
        select p.proname, p.proargnames[n], format_type(p.proallargtypes[n], null)
        from pg_proc p, generate_subscripts(p.proallargtypes, 1) n
        where p.pronamespace = 'app'::regnamespace and p.proargmodes[n] = 't' and p.proname = any(%s)
        order by p.proname, n
        """,
        (list(SERIES.values()),),
    ).fetchall()
    shown = {rows: name for name, rows in SERIES.items()}
    expected: dict[str, list[tuple[str, str]]] = {}
    for name, column, type_ in [*relations, *functions]:
        expected.setdefault(shown.get(name, name), []).append((column, type_))
    assert set(expected) > SERIES.keys()
    page = {
        name: [(column, type_) for column, (type_, _) in columns.items()]
        for name, columns in documented().items()
    }
    assert page == expected


@pytest.mark.parametrize("relation", sorted(set(documented()) - SERIES.keys()))
def test_what_is_never_null_is_not_null_for_anybody(connection: psycopg.Connection, relation: str) -> None:
    never_null = [column for column, (_, null) in documented()[relation].items() if null == "never"]
    people = connection.execute("select id::text, organization_id::text from public.profiles").fetchall()
    assert never_null
    rows = 0
    for profile_id, organization_id in people:
        claims = {"sub": profile_id, "role": "authenticated", "app_metadata": {"org_id": organization_id}}
        with connection.transaction():
            connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
            connection.execute("set local role authenticated")
            condition = sql.SQL(" or ").join(
                sql.SQL("{} is null").format(sql.Identifier(column)) for column in never_null
            )
            query = sql.SQL("select count(*), count(*) filter (where {}) from public.{}")
            row = connection.execute(query.format(condition, sql.Identifier(relation))).fetchone()
        assert row is not None
        rows += row[0]
        assert row[1] == 0, f"{relation} has nulls for {profile_id}"
    assert rows > 0, "an empty relation proves nothing"
