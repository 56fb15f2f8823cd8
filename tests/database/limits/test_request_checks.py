"""What PostgREST refuses before each request: headers that undo, counts by the planner, large bodies, depth.

Most is asked of PostgREST itself, so that no gateway is needed for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.database.limits.support import REFUSED_COUNT, REFUSED_TX, Caller

if TYPE_CHECKING:
    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest

YEAR = {"p_period_start": "2026-01-01", "p_period_end": "2027-01-01"}
CALLERS = ("org admin", "peer mentor", "stranger", "anonymous")
TX = ["tx=rollback", "tx=commit", "return=minimal, tx=rollback", "count=exact,tx=rollback", "TX = rollback"]
COUNTS = ["count=planned", "count=estimated", "return=minimal,count=planned", "count=planned, count=exact"]


def exposed(stack: Stack) -> dict[str, str]:
    """The relations of the API, each with a column."""
    query = """
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum = 1
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    """
    with psycopg.connect(stack.db_url) as connection:
        return dict(connection.execute(query).fetchall())


def functions(stack: Stack) -> dict[str, dict[str, None]]:
    """The functions of the API, each with its parameters, all null."""
    query = """
        select proname, coalesce((proargnames)[1:pronargs], '{}') from pg_proc
        where pronamespace = 'public'::regnamespace
          -- one from a row is embedded, and cannot be called
          and not exists (select from pg_class c where c.reltype = any (proargtypes))
          and (has_function_privilege('authenticated', oid, 'execute')
               or has_function_privilege('service_role', oid, 'execute'))
    """
    with psycopg.connect(stack.db_url) as connection:
        return {name: dict.fromkeys(names) for name, names in connection.execute(query)}


# --- B2: what was done is done ---------------------------------------------------------------------------


def exports(forest: Forest) -> int:
    query = "select count(*) from public.bufdir_export_audit_log where organization_id = %s"
    row = forest.db.execute(query, [forest.organization]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def saved(stack: Stack, forest: Forest, head: Caller) -> Forest:
    """An organisation with figures that may be exported."""
    query = "functions/v1/metric-snapshots?period_start=2026-01-01&period_end=2027-01-01"
    answer = head.call("PUT", query, origin=stack.api_url)
    assert answer.status_code == 200, answer.text
    return forest


@pytest.mark.parametrize("prefer", TX)
def test_no_header_takes_an_export_back(saved: Forest, head: Caller, prefer: str) -> None:
    answer = head.call("POST", "rpc/export_bufdir_snapshot", YEAR, prefer=prefer)
    assert (answer.status_code, answer.json()) == (400, REFUSED_TX)
    assert exports(saved) == 0
    answer = head.call("POST", "rpc/export_bufdir_snapshot", YEAR, prefer="return=representation")
    assert (answer.status_code, set(answer.json())) == (200, {"export_id", "snapshot", "computed_at"})
    assert exports(saved) == 1


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param("?limit=0", {"accept": "application/vnd.pgrst.object+json"}, id="one-row-of-none"),
        pytest.param("?offset=1", {"accept": "application/vnd.pgrst.object+json"}, id="one-row-past-the-end"),
        pytest.param("?select=pgrst_scalar::int", {}, id="a-cast-that-fails"),
        pytest.param("?pgrst_scalar->>snapshot=gt.5", {}, id="a-filter-on-the-answer"),
        pytest.param("", {"accept": "text/csv"}, id="csv"),
        pytest.param("", {"accept": "application/geo+json"}, id="a-type-that-fails"),
        pytest.param("", {"range": "5-9"}, id="range"),
        pytest.param("", {"prefer": "max-affected=0, handling=strict"}, id="max-affected"),
        pytest.param("", {"prefer": "timezone=No/Where, handling=strict"}, id="unknown-time-zone"),
        pytest.param("", {"content_profile": "app"}, id="another-schema"),
    ],
)
def test_whoever_gets_the_figures_is_on_record(
    saved: Forest, head: Caller, query: str, headers: dict[str, str]
) -> None:
    """Other ways to have a transaction undone: whichever is taken, no figures come without a record."""
    answer = head.call("POST", f"rpc/export_bufdir_snapshot{query}", YEAR, **headers)
    has_figures = "activity_count" in answer.text
    assert exports(saved) >= int(has_figures)
    assert exports(saved) == 1 or not has_figures


def test_no_header_undoes_whatever_is_called(
    stack: Stack, callers: dict[str, Caller], service: Caller
) -> None:
    """Before anything else is looked at: for everybody and everything, also what a later migration adds."""
    bodies = {f"rpc/{name}": parameters for name, parameters in functions(stack).items()}
    bodies |= {f"{name}?{column}=is.null": {} for name, column in exposed(stack).items()}
    assert len(bodies) > 40
    for caller in (*callers.values(), service):
        for path, body in bodies.items():
            for method in ("POST",) if path.startswith("rpc/") else ("GET", "POST", "PATCH", "DELETE"):
                answer = caller.call(method, path, body if method != "GET" else None, prefer="tx=rollback")
                assert (answer.status_code, answer.json()) == (400, REFUSED_TX), f"{method} {path}"


def test_without_the_check_the_header_has_no_effect_either(stack: Stack) -> None:
    """PostgREST itself is told to commit, so a gateway that hides a header from the check changes nothing."""
    with psycopg.connect(stack.admin_db_url) as connection:
        settings = connection.execute(
            "select unnest(setconfig) from pg_db_role_setting where setrole = 'authenticator'::regrole"
        ).fetchall()
    assert ("pgrst.db_tx_end=commit",) in settings
    assert ("pgrst.db_plan_enabled=false",) in settings


def test_the_first_of_two_headers_does_not_undo_either(saved: Forest, head: Caller) -> None:
    """The check sees the last of several headers, PostgREST follows the first."""
    headers = (("prefer", "tx=rollback"), ("prefer", "return=minimal"))
    answer = head.call("POST", "rpc/export_bufdir_snapshot", YEAR, *headers)
    assert (answer.status_code, exports(saved)) == (200, 1)


# --- B5: what the planner knows --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("prefer", COUNTS)
def test_the_planner_counts_for_nobody(callers: dict[str, Caller], name: str, prefer: str) -> None:
    answer = callers[name].call("GET", "activities?select=id", prefer=prefer)
    assert (answer.status_code, answer.json()) == (400, REFUSED_COUNT)
    assert "content-range" not in answer.headers


def test_the_planner_counts_of_no_relation(stack: Stack, callers: dict[str, Caller], service: Caller) -> None:
    relations = exposed(stack)
    assert len(relations) > 15
    for relation in relations:
        for method in ("GET", "HEAD"):
            for caller in callers.values():
                answer = caller.call(method, relation, prefer="count=planned")
                assert answer.status_code == 400, relation
                assert "content-range" not in answer.headers
        assert service.call("GET", f"{relation}?limit=1", prefer="count=planned").status_code in {
            200,
            206,
            403,
        }


def test_an_exact_count_is_of_what_one_may_see(forest: Forest, callers: dict[str, Caller]) -> None:
    path = f"activities?select=id&organization_id=eq.{forest.organization}"
    ranges = {
        name: callers[name].call("HEAD", path, prefer="count=exact").headers.get("content-range")
        for name in CALLERS
    }
    assert ranges == {"org admin": "0-0/1", "peer mentor": "0-0/1", "stranger": "*/0", "anonymous": None}


def test_behind_the_gateway_the_first_of_two_headers_counts(stack: Stack, callers: dict[str, Caller]) -> None:
    """The check sees the last of several headers, PostgREST follows the first: the gateway makes them one."""
    headers = (("prefer", "count=planned"), ("prefer", "return=minimal"), ("apikey", stack.publishable_key))
    path = "rest/v1/activities?select=id"
    answer = callers["stranger"].call("GET", path, None, *headers, origin=stack.api_url)
    assert (answer.status_code, answer.json()) == (400, REFUSED_COUNT)


@pytest.mark.parametrize("name", CALLERS)
def test_nobody_sees_a_plan(callers: dict[str, Caller], name: str) -> None:
    answer = callers[name].call("GET", "activities", accept="application/vnd.pgrst.plan+json")
    assert answer.status_code in {406, 415}
    assert "Plan Rows" not in answer.text


# --- bodies ----------------------------------------------------------------------------------------------


def test_a_body_is_bounded(stack: Stack, head: Caller) -> None:
    for size, status in ((5 * 2**20 - 100, 200), (5 * 2**20 + 1, 413)):
        answer = head.call("POST", "rpc/search_units", {"p_query": "a" * size})
        assert answer.status_code == status
    refused = {
        "code": "payload_too_large",
        "message": "The body is larger than 5 MiB.",
        "details": None,
        "hint": None,
    }
    assert answer.json() == refused
    headers = {"apikey": stack.publishable_key}
    answer = head.call(
        "POST", "rest/v1/rpc/search_units", {"p_query": "a" * size}, origin=stack.api_url, **headers
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


# --- B4: depth -------------------------------------------------------------------------------------------

REFUSED_DEPTH = {
    "code": "bad_request",
    "message": "A list may not be embedded in what is itself embedded; ask for it in a request of its own.",
    "details": None,
    "hint": None,
}


@pytest.mark.parametrize(
    "select",
    [
        "activities?select=id,organization_units(name,activities(id))",
        "activities?select=id,organization_units!inner(name,activities!inner(id))",
        "activities?select=id,unit:organization_units(a_1:name,x_1:activities(id))",
        "activities?select=id,organization_units(name,activities(id,organization_units(name,activities(id))))",
        "organizations?select=id,organization_units(name,activities(id))",
        "profiles?select=id,organizations(organization_units(id))",
    ],
)
def test_a_list_is_not_embedded_in_what_is_embedded(head: Caller, select: str) -> None:
    answer = head.call("GET", select)
    assert (answer.status_code, answer.json()) == (400, REFUSED_DEPTH)


@pytest.mark.parametrize(
    "select",
    [
        "activities?select=id,organization_units(name,organizations(name)),activity_types(code)",
        "organization_units?select=name,activities(id,activity_types(code))",
        "activities?select=id,expense_claims(id)",
    ],
)
def test_what_stays_bounded_may_be_embedded(head: Caller, select: str) -> None:
    answer = head.call("GET", select)
    assert answer.status_code == 200
    assert answer.json()


def test_at_most_eight_are_embedded(head: Caller) -> None:
    many = [f"c{n}:expense_claims(id)" for n in range(9)]
    assert head.call("GET", f"activities?select=id,{','.join(many[:8])}").status_code == 200
    answer = head.call("GET", f"activities?select=id,{','.join(many)}")
    message = "At most eight relations may be embedded."
    assert (answer.status_code, answer.json()) == (400, REFUSED_DEPTH | {"message": message})


def test_what_a_write_gives_back_is_bounded_as_well(forest: Forest, head: Caller) -> None:
    path = "activities?select=id,organization_units(name{})&organization_id=eq." + str(forest.organization)
    change = {"duration_minutes": 45}
    answer = head.call("PATCH", path.format(",activities(id)"), change, prefer="return=representation")
    assert (answer.status_code, answer.json()) == (400, REFUSED_DEPTH)
    row = forest.db.execute(
        "select duration_minutes from public.activities where organization_id = %s", [forest.organization]
    ).fetchone()
    assert row == (90,)


def test_no_header_moves_a_figure(forest: Forest, head: Caller) -> None:
    """`Prefer: timezone` sets the session's: every day of ours is computed in a zone that is named."""
    forest.add_activity("leaf", "2025-12-31 23:30Z")
    forest.add_activity("leaf", "2026-03-31 23:30Z")
    report = YEAR | {"p_org_id": str(forest.organization)}
    zones = [{}, *({"prefer": f"timezone={zone}"} for zone in ("Asia/Tokyo", "America/Los_Angeles"))]
    answers = [head.call("POST", "rpc/generate_bufdir_report", report, **zone) for zone in zones]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json()["totals"]["activity_count"] == 2
    assert answers[1].json() == answers[2].json() == answers[0].json()
    series = {"p_from": "2025-12-01", "p_to": "2026-12-31"}
    lists = [head.call("POST", "rpc/get_activity_series", series, **zone).json() for zone in zones]
    assert lists[0] == lists[1] == lists[2]
