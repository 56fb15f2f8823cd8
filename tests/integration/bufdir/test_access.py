"""Who may do what with Bufdir's figures: real sign-ins, the whole table, exact codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.bufdir.support import DAYS, YEAR, Person, data, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    import httpx

Refusal = tuple[int, str | None]
OK: Refusal = (200, None)
UNAUTHORIZED: Refusal = (401, "unauthorized")
FORBIDDEN: Refusal = (403, "forbidden")
NOT_FOUND: Refusal = (404, "not_found")
NOT_GRANTED: Refusal = (403, "42501")
NOT_SIGNED_IN: Refusal = (401, "42501")

ACTIONS: dict[str, Callable[[Person, UUID], httpx.Response]] = {
    "get": lambda who, _: who.call("GET", "metric-snapshots", **DAYS.query),
    "put": lambda who, _: who.call("PUT", "metric-snapshots", **DAYS.query),
    "delete": lambda who, _: who.call("DELETE", "metric-snapshots", **DAYS.query),
    "status": lambda who, _: who.call("GET", "snapshot-status", **DAYS.query),
    "verify": lambda who, _: who.call("GET", "verify-snapshot", **DAYS.query),
    "alignment": lambda who, _: who.call("GET", "bufdir-alignment", year=YEAR),
    "export": lambda who, _: who.rpc("export_bufdir_snapshot", **DAYS.parameters),
    "report": lambda who, nhf: who.rpc("generate_bufdir_report", p_org_id=nhf, **DAYS.parameters),
    "compute": lambda who, _: who.rpc("compute_metric_snapshot", **DAYS.parameters),
}
ALL = dict.fromkeys(ACTIONS, OK)
# Each from the same state: NHF has a fresh snapshot of the period, the other organisation has none.
TABLE: dict[str, dict[str, Refusal]] = {
    "peer mentor": ALL
    | {"delete": FORBIDDEN, "verify": FORBIDDEN, "alignment": FORBIDDEN, "export": NOT_GRANTED},
    "coordinator": ALL,
    "org admin": ALL,
    "other organisation": ALL
    | {"delete": NOT_FOUND, "verify": NOT_FOUND, "export": (404, "PT404"), "report": NOT_GRANTED},
    "anonymous": dict.fromkeys(ACTIONS, UNAUTHORIZED)
    | dict.fromkeys(["export", "report", "compute"], NOT_SIGNED_IN),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", TABLE)
@pytest.mark.usefixtures("saved")
def test_who_may_do_what(people: dict[str, Person], nhf: UUID, who: str, action: str) -> None:
    assert refusal(ACTIONS[action](people[who], nhf)) == TABLE[who][action]


def test_members_get_what_was_saved_and_nobody_else_does(
    people: dict[str, Person], saved: dict[str, Any]
) -> None:
    for member in ("peer mentor", "coordinator", "org admin"):
        assert data(people[member].call("GET", "metric-snapshots", **DAYS.query)) == saved
    assert data(people["other organisation"].call("GET", "metric-snapshots", **DAYS.query)) is None
    status = data(people["other organisation"].call("GET", "snapshot-status", **DAYS.query))
    assert (status["verdict"], status["export_allowed"]) == ("missing", False)


def test_everybody_computes_their_own_organisations_figures(
    people: dict[str, Person], saved: dict[str, Any], nhf: UUID
) -> None:
    other = data(people["other organisation"].call("PUT", "metric-snapshots", **DAYS.query))
    assert saved["organization_id"] == saved["snapshot_json"]["organization_id"] == str(nhf)
    assert other["organization_id"] == other["snapshot_json"]["organization_id"] != str(nhf)
    assert data(people["org admin"].call("GET", "metric-snapshots", **DAYS.query)) == saved


def test_a_peer_mentors_delete_is_refused_by_the_policy_itself(
    people: dict[str, Person], saved: dict[str, Any]
) -> None:
    path = f"bufdir_metric_snapshots?id=eq.{saved['id']}"
    prefer = {"prefer": "return=representation"}
    for who in ("peer mentor", "other organisation"):
        assert people[who].rest("DELETE", path, **prefer).json() == []
    assert refusal(people["anonymous"].rest("DELETE", path, **prefer)) == NOT_SIGNED_IN
    deleted = people["coordinator"].rest("DELETE", path, **prefer).json()
    assert [row["id"] for row in deleted] == [saved["id"]]


def test_deleting_twice_is_not_found(people: dict[str, Person], saved: dict[str, Any]) -> None:
    assert saved
    assert data(people["coordinator"].call("DELETE", "metric-snapshots", **DAYS.query)) == {"deleted": True}
    again = people["coordinator"].call("DELETE", "metric-snapshots", **DAYS.query)
    assert refusal(again) == NOT_FOUND
    assert data(people["coordinator"].call("GET", "metric-snapshots", **DAYS.query)) is None


@pytest.mark.parametrize("slug", ["metric-snapshots", "snapshot-status", "verify-snapshot"])
def test_a_period_that_ends_before_it_starts_is_refused_clearly(people: dict[str, Person], slug: str) -> None:
    answer = people["coordinator"].call("GET", slug, period_start="2026-02-01", period_end="2026-01-31")
    assert refusal(answer) == (400, "bad_request")
    assert answer.json()["error"]["message"] == "period_end is before period_start."
    direct = people["coordinator"].rpc(
        "compute_metric_snapshot", p_period_start="2026-02-01", p_period_end="2026-01-31"
    )
    assert (refusal(direct), direct.json()["message"]) == (
        (400, "22023"),
        "period_end is before period_start",
    )


def test_an_empty_period_has_zeros_and_empty_lists(people: dict[str, Person]) -> None:
    empty = {"period_start": "2026-02-01", "period_end": "2026-02-01"}
    report = data(people["coordinator"].call("PUT", "metric-snapshots", **empty))["snapshot_json"]
    assert data(people["coordinator"].call("DELETE", "metric-snapshots", **empty)) == {"deleted": True}
    assert (report["categories"], report["uncategorised"], report["regions"]) == ([], [], [])
    assert set(report["totals"].values()) == {0}
