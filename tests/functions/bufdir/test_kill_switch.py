"""The kill switch: one organisation's statistics are off everywhere at once, on record, and back unharmed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.functions.bufdir.support import DAYS, YEAR, Person, data, refusal
from tests.support.relations import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    import httpx

    from local.stack import Stack

DISABLED = (423, "feature_disabled")
MEMBERS = ("peer mentor", "coordinator", "org admin")
VIEWS = (*STATISTICS, "bufdir_metric_snapshots")
FUNCTIONS: dict[str, Callable[[Person], httpx.Response]] = {
    "get": lambda who: who.call("GET", "metric-snapshots", **DAYS.query),
    "put": lambda who: who.call("PUT", "metric-snapshots", **DAYS.query),
    "delete": lambda who: who.call("DELETE", "metric-snapshots", **DAYS.query),
    "status": lambda who: who.call("GET", "snapshot-status", **DAYS.query),
    "verify": lambda who: who.call("GET", "verify-snapshot", **DAYS.query),
    "alignment": lambda who: who.call("GET", "bufdir-alignment", year=YEAR),
}
RPCS: dict[str, dict[str, object]] = {
    "compute_metric_snapshot": DAYS.parameters,
    "get_metric_snapshot": DAYS.parameters,
    "save_metric_snapshot": DAYS.parameters,
    "get_snapshot_status": DAYS.parameters,
    "export_bufdir_snapshot": DAYS.parameters,
    "get_bufdir_alignment": {"p_year": YEAR},
}


@contextmanager
def switched_off(stack: Stack, organization_id: UUID) -> Iterator[None]:
    statement = "update public.organization_settings set statistics_enabled = %s where organization_id = %s"
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        connection.execute(statement, (False, organization_id))
        try:
            yield
        finally:
            connection.execute(statement, (True, organization_id))


@pytest.fixture
def off(stack: Stack, nhf: UUID, saved: dict[str, Any]) -> Iterator[None]:
    assert saved
    with switched_off(stack, nhf):
        yield


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("who", MEMBERS)
def test_each_function_says_that_it_is_off(people: dict[str, Person], who: str, name: str) -> None:
    # who may not verify at all learns nothing about the switch
    expected = (403, "forbidden") if (who, name) == ("peer mentor", "verify") else DISABLED
    assert refusal(FUNCTIONS[name](people[who])) == expected


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("name", RPCS)
@pytest.mark.parametrize("who", MEMBERS)
def test_calling_the_database_makes_no_difference(people: dict[str, Person], who: str, name: str) -> None:
    assert refusal(people[who].rpc(name, **RPCS[name])) == (423, "PT423")


@pytest.mark.usefixtures("off")
def test_the_report_itself_is_off(people: dict[str, Person], nhf: UUID) -> None:
    for who in MEMBERS:
        answer = people[who].rpc("generate_bufdir_report", p_org_id=nhf, **DAYS.parameters)
        assert refusal(answer) == (423, "PT423")


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("view", VIEWS)
def test_views_have_no_rows(people: dict[str, Person], view: str) -> None:
    for who in MEMBERS:
        answer = people[who].rest("GET", view)
        assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.usefixtures("off")
def test_another_organisation_is_not_affected(people: dict[str, Person]) -> None:
    other = people["other organisation"]
    for name in ("get", "put", "status", "verify", "alignment", "delete"):
        assert refusal(FUNCTIONS[name](other)) == (200, None)
    assert other.rest("GET", "chapter_stats").json()


@pytest.mark.usefixtures("off")
def test_registering_goes_on(people: dict[str, Person]) -> None:
    assert people["peer mentor"].rest("GET", "activities?limit=1").json()


def test_each_attempt_is_on_record(stack: Stack, kari: Person, nhf: UUID, saved: dict[str, Any]) -> None:
    assert saved
    log = stack.instance.logs / "postgres.log"

    def attempts() -> int:
        return log.read_text(encoding="utf-8", errors="replace").count(
            f"feature_disabled: statistics of organization {nhf}"
        )

    before = attempts()
    data(FUNCTIONS["get"](kari))
    assert attempts() == before
    with switched_off(stack, nhf):
        for name, call in FUNCTIONS.items():
            seen = attempts()
            assert refusal(call(kari)) == DISABLED
            assert attempts() > seen, name


def test_switched_back_on_everything_is_as_before(
    stack: Stack, people: dict[str, Person], nhf: UUID, saved: dict[str, Any]
) -> None:
    admin = people["org admin"]

    def rows() -> dict[str, list[str]]:
        views = [view for view in VIEWS if view != "stats_freshness"]
        return {view: sorted(map(str, admin.rest("GET", view).json())) for view in views}

    before = rows()
    assert all(before[view] for view in before)
    with switched_off(stack, nhf):
        assert refusal(FUNCTIONS["get"](admin)) == DISABLED
    assert rows() == before
    assert data(FUNCTIONS["get"](admin)) == saved
    assert data(FUNCTIONS["verify"](admin))["matches"] is True
