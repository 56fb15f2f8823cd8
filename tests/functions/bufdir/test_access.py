"""Who may do what with Bufdir's figures: real sign-ins, the whole table, exact codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import psycopg
import pytest

from _shared import exact_json
from tests.functions.bufdir.support import DAYS, YEAR, Person, data, organization, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    import httpx

    from local.stack import Stack

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
    "save": lambda who, _: who.rpc("save_metric_snapshot", **DAYS.parameters),
    "read": lambda who, _: who.rpc("get_metric_snapshot", **DAYS.parameters),
    "renew": lambda who, nhf: who.rpc("renew_metric_snapshot", p_organization_id=nhf, **DAYS.parameters),
}
ALL = dict.fromkeys(ACTIONS, OK) | {"renew": NOT_GRANTED}
# Each from the same state: NHF has a fresh snapshot of the period, the other organisation has none.
TABLE: dict[str, dict[str, Refusal]] = {
    "peer mentor": ALL
    | dict.fromkeys(["put", "delete", "verify", "alignment"], FORBIDDEN)
    | dict.fromkeys(["export", "report", "compute", "save"], NOT_GRANTED),
    "coordinator": ALL,
    "org admin": ALL,
    "other organisation": ALL
    | {"delete": NOT_FOUND, "verify": NOT_FOUND, "export": (404, "PT404"), "report": NOT_GRANTED},
    "anonymous": dict.fromkeys(ACTIONS, UNAUTHORIZED)
    | dict.fromkeys(["export", "report", "compute", "save", "read", "renew"], NOT_SIGNED_IN),
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


NO_MONTHS = [("2026-03-10", "2026-03-11"), ("2026-01-01", "2026-12-31"), ("2026-01-15", "2026-02-01")]


@pytest.mark.parametrize("days", NO_MONTHS, ids=str)
@pytest.mark.parametrize("who", ["peer mentor", "coordinator", "org admin"])
def test_what_happened_on_a_certain_day_is_asked_in_vain(
    people: dict[str, Person], nhf: UUID, who: str, days: tuple[str, str]
) -> None:
    query = {"period_start": days[0], "period_end": days[1]}
    for method, slug in [
        ("GET", "metric-snapshots"),
        ("PUT", "metric-snapshots"),
        ("GET", "snapshot-status"),
    ]:
        answer = people[who].call(method, slug, **query)
        assert refusal(answer) == (400, "bad_request")
        assert answer.json()["error"]["message"] == (
            "A period is whole months: it starts and ends on the first day of one."
        )
    parameters = {f"p_{name}": day for name, day in query.items()}
    for name in ("get_snapshot_status", "get_metric_snapshot"):
        refused = people[who].rpc(name, **parameters)
        assert (refusal(refused), refused.json()["message"]) == (
            (400, "22023"),
            "a period is whole months of this century: it starts and ends on the first day of one",
        )
    report = people[who].rpc("generate_bufdir_report", p_org_id=nhf, **parameters)
    assert refusal(report) == (NOT_GRANTED if who == "peer mentor" else (400, "22023"))


def test_a_peer_mentor_is_told_why(people: dict[str, Person], nhf: UUID) -> None:
    mentor = people["peer mentor"]
    asked = mentor.rpc("generate_bufdir_report", p_org_id=nhf, **DAYS.parameters)
    assert asked.json()["message"] == "only coordinators and org admins see reports"
    saving = mentor.rpc("save_metric_snapshot", **DAYS.parameters)
    assert saving.json()["message"] == "only coordinators and org admins save reports"


def test_a_coordinator_is_told_nowhere_what_the_national_unit_adds_up_to(
    stack: Stack, people: dict[str, Person]
) -> None:
    with psycopg.connect(stack.db_url) as owner:
        row = owner.execute(
            "select u.id from public.organization_units u join public.organizations o"
            " on o.id = u.organization_id where o.slug = 'nhf' and u.parent_id is null"
        ).fetchone()
    assert row is not None
    kari, astrid = people["coordinator"], people["org admin"]
    assert refusal(kari.call("GET", "hierarchy-stats", unit_id=row[0], year=YEAR)) == FORBIDDEN
    told = kari.rpc("get_bufdir_alignment", p_year=YEAR).json()
    assert told["dashboard"]["hierarchy"] is None
    assert data(kari.call("GET", "bufdir-alignment", year=YEAR))["is_aligned"] is True
    summary = data(astrid.call("GET", "hierarchy-stats", unit_id=row[0], year=YEAR))
    whole = exact_json.loads(astrid.rpc("get_bufdir_alignment", p_year=YEAR).content)
    assert whole["dashboard"]["hierarchy"] == summary["payload"]  # type: ignore[index]


def test_a_token_of_another_organisation_is_no_role_anywhere(stack: Stack, people: dict[str, Person]) -> None:
    """Also where a function acts with the secret key once it knows who asks."""
    claims = jwt.decode(
        people["coordinator"].headers["authorization"].removeprefix("Bearer "),
        options={"verify_signature": False},
    )
    hlf = str(organization(stack, "hlf"))
    strange: list[object] = [{"org_id": hlf}, {}, {"org_id": 5}, {"org_id": "x"}, {"org_id": [hlf]}, [], "x"]
    for app_metadata in strange:
        token = jwt.encode(claims | {"app_metadata": app_metadata}, stack.jwt_secret, algorithm="HS256")
        kari = Person(stack, people["coordinator"].http, None)
        kari.headers = kari.headers | {"authorization": f"Bearer {token}"}
        for method, slug in [
            ("POST", "refresh-stats-views"),
            ("GET", "verify-snapshot"),
            ("GET", "metric-snapshots"),
            ("PUT", "metric-snapshots"),
            ("DELETE", "metric-snapshots"),
            ("GET", "snapshot-status"),
        ]:
            query = {} if method == "POST" else DAYS.query
            assert refusal(kari.call(method, slug, **query)) == FORBIDDEN, (app_metadata, method, slug)
        assert refusal(kari.call("GET", "bufdir-alignment", year=YEAR)) == FORBIDDEN
        assert refusal(kari.rpc("get_snapshot_status", **DAYS.parameters)) == NOT_GRANTED
        assert kari.rest("GET", "activities?limit=1").json() == []
        assert kari.rpc("get_role").json() is None
    assert people["coordinator"].rpc("get_role").json() == "coordinator"
    assert refusal(people["coordinator"].call("POST", "refresh-stats-views")) == OK
