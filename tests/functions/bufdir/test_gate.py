"""Nothing stale or false is exported, whichever way is taken, and who exported what stays on record."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from _shared import exact_json
from tests.functions.bufdir.support import DAYS, ROLES, Days, Person, data, organization, refusal, year

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from local.stack import Stack

STALE = (409, "PT409")


@contextmanager
def changed(stack: Stack, change: str, back: str) -> Iterator[None]:
    """Do something as the owner, and undo it."""
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute(change)
        try:
            yield
        finally:
            connection.execute(back)


def export(person: Person, days: Days = DAYS) -> httpx.Response:
    return person.rpc("export_bufdir_snapshot", **days.parameters)


def exports(kari: Person) -> list[Any]:
    return list(kari.rest("GET", "bufdir_export_audit_log?order=id").json())


def test_an_export_gives_the_saved_figures_and_is_on_record(kari: Person, saved: dict[str, Any]) -> None:
    before = exports(kari)
    answer = export(kari)
    assert refusal(answer) == (200, None)
    assert (
        answer.json()["snapshot"]
        == kari.rest("GET", f"bufdir_metric_snapshots?id=eq.{saved['id']}").json()[0]["snapshot_json"]
    )
    [record] = [row for row in exports(kari) if row not in before]
    assert record["id"] == answer.json()["export_id"]
    assert (record["snapshot_id"], record["period_start"]) == (saved["id"], str(DAYS.start))
    assert (record["verdict"]["verdict"], record["verdict"]["matches"]) == ("fresh", True)


EDIT = f"""
    update public.activities set duration_minutes = duration_minutes {{}} 1
    where id = (select a.id from public.activities a
                where a.organization_id = '{{}}' and a.is_counted
                  and a.occurred_at >= '{DAYS.start}Z' and a.occurred_at < '{DAYS.end}Z'
                order by a.id limit 1)
"""


def test_a_stale_snapshot_is_not_exported_and_that_is_not_on_record(
    stack: Stack, kari: Person, saved: dict[str, Any]
) -> None:
    assert saved
    nhf, before = organization(stack, "nhf"), exports(kari)
    with changed(stack, EDIT.format("+", nhf), EDIT.format("-", nhf)):
        status = data(kari.call("GET", "snapshot-status", **DAYS.query))
        assert (status["verdict"], status["reasons"], status["export_allowed"]) == (
            "stale",
            ["records_edited"],
            False,
        )
        assert status["banner"]["en"].startswith("The saved figures are out of date")
        assert refusal(export(kari)) == STALE
    assert exports(kari) == before
    assert refusal(export(kari)) == (200, None)


def test_what_was_never_saved_is_not_exported(kari: Person) -> None:
    assert refusal(export(kari, year(2019))) == (404, "PT404")


FALSE = [
    (
        "totals",
        {"activity_count": 999999, "total_hours": 1.5, "distinct_participants": 1, "participant_count": 1},
    ),
    ("categories", []),
]


@pytest.mark.parametrize(("field", "value"), FALSE, ids=[field for field, _ in FALSE])
def test_a_snapshot_falsified_by_the_owner_is_found_and_not_exported(
    stack: Stack, kari: Person, saved: dict[str, Any], *, field: str, value: object
) -> None:
    false = saved["snapshot_json"] | {field: value}
    path = f"bufdir_metric_snapshots?id=eq.{saved['id']}"
    assert refusal(kari.rest("PATCH", path, {"snapshot_json": false})) == (403, "42501")
    assert refusal(export(kari)) == (200, None)
    with psycopg.connect(stack.db_url) as owner:
        owner.execute(
            "update public.bufdir_metric_snapshots set snapshot_json = %s where id = %s",
            [exact_json.dumps(false).decode(), saved["id"]],
        )
    refused = export(kari)
    assert refusal(refused) == STALE
    assert refused.json()["message"] == "the snapshot differs from the data"
    verification = data(kari.call("GET", "verify-snapshot", **DAYS.query))
    assert verification["matches"] is False
    assert {row["field_name"].split("/")[1] for row in verification["discrepancies"]} == {field}
    data(kari.call("PUT", "metric-snapshots", **DAYS.query))
    assert data(kari.call("GET", "verify-snapshot", **DAYS.query))["discrepancies"] == []
    assert refusal(export(kari)) == (200, None)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_record_of_exports_is_written_by_exporting_alone(
    stack: Stack, kari: Person, saved: dict[str, Any], method: str
) -> None:
    assert refusal(export(kari)) == (200, None)
    before = exports(kari)
    body = (
        None
        if method == "DELETE"
        else {"organization_id": saved["organization_id"], "snapshot_id": saved["id"]}
    )
    for person in (kari, Person(stack, kari.http, ROLES["org admin"])):
        assert refusal(person.rest(method, "bufdir_export_audit_log?id=gt.0", body)) == (403, "42501")
    assert exports(kari) == before


@pytest.mark.parametrize("statement", ["update {} set verdict = '{{}}'", "delete from {}", "truncate {}"])
def test_not_even_the_owner_changes_the_record_of_exports(stack: Stack, kari: Person, statement: str) -> None:
    with (
        psycopg.connect(stack.db_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="bufdir_export_audit_log is append-only"),
    ):
        connection.execute(statement.format("public.bufdir_export_audit_log"))
    assert isinstance(exports(kari), list)


def test_who_follows_nobody_up_sees_no_exports(stack: Stack, kari: Person, saved: dict[str, Any]) -> None:
    assert saved
    assert refusal(export(kari)) == (200, None)
    assert exports(kari)
    for email in (ROLES["peer mentor"], ROLES["other organisation"]):
        assert exports(Person(stack, kari.http, email)) == []
