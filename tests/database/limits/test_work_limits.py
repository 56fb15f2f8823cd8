"""How often expensive work may be asked for, by person and by organisation, and one thing at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.database.limits.support import COMPUTING, TOO_MANY, TOO_MANY_AT_ONCE, Caller, token
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    import httpx

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest

YEAR = {"p_period_start": "2026-01-01", "p_period_end": "2027-01-01"}
PERIOD = "period_start=2026-01-01&period_end=2027-01-01"


@pytest.fixture
def limits(forest: Forest) -> Iterator[Callable[..., None]]:
    """Set other limits for a test: the burst of a person and of an organisation, the interval of both."""
    before = forest.db.execute("table private.work_limits").fetchall()

    def change(work: str, person: int, organization: int, interval: str = "1 hour") -> None:
        forest.db.execute(
            "update private.work_limits set person_burst = %s, organization_burst = %s,"
            " person_interval = %s, organization_interval = %s where work = %s",
            [person, organization, interval, interval, work],
        )

    yield change
    for row in before:
        forest.db.execute(
            "update private.work_limits set (person_burst, person_interval, organization_burst,"
            " organization_interval) = (%s, %s, %s, %s) where work = %s",
            [*row[1:], row[0]],
        )


@pytest.fixture
def colleague(stack: Stack, forest: Forest) -> Caller:
    """A second org admin."""
    person = uuid4()
    forest.db.execute("insert into auth.users (id, email) values (%s, %s)", [person, f"{person}@x.example"])
    forest.db.execute(
        "insert into public.profiles (id, organization_id, role, display_name)"
        " values (%s, %s, 'org_admin', 'Second')",
        [person, forest.organization],
    )
    return Caller(stack, token(stack, person, forest.organization))


def report(caller: Caller, forest: Forest) -> httpx.Response:
    return caller.call("POST", "rpc/generate_bufdir_report", YEAR | {"p_org_id": str(forest.organization)})


def function(caller: Caller, method: str, slug: str) -> httpx.Response:
    return caller.call(method, f"functions/v1/{slug}", origin=caller.stack.api_url)


REPORTS: dict[str, Callable[[Caller, Forest], httpx.Response]] = {
    "generate_bufdir_report": report,
    "compute_metric_snapshot": lambda caller, _: caller.call("POST", "rpc/compute_metric_snapshot", YEAR),
    "get_snapshot_status": lambda caller, _: caller.call("POST", "rpc/get_snapshot_status", YEAR),
    "export_bufdir_snapshot": lambda caller, _: caller.call("POST", "rpc/export_bufdir_snapshot", YEAR),
    "get_bufdir_alignment": lambda caller, _: caller.call(
        "POST", "rpc/get_bufdir_alignment", {"p_year": 2026}
    ),
}
SUMMARIES: dict[str, Callable[[Caller, Forest], httpx.Response]] = {
    "get_hierarchy_stats": lambda caller, forest: caller.call(
        "POST", "rpc/get_hierarchy_stats", {"p_unit_id": str(forest.units["leaf"]), "p_year": 2026}
    ),
    "read_hierarchy_stats": lambda caller, forest: caller.call(
        "POST", "rpc/read_hierarchy_stats", {"p_unit_id": str(forest.units["leaf"]), "p_year": 2031}
    ),
}


@pytest.mark.parametrize("name", [*REPORTS, *SUMMARIES])
def test_what_is_expensive_may_be_asked_for_so_often(
    forest: Forest, head: Caller, limits: Callable[..., None], name: str
) -> None:
    ask = (REPORTS | SUMMARIES)[name]
    limits("report" if name in REPORTS else "summary", 2, 10)
    if name == "export_bufdir_snapshot":
        limits("report", 3, 10)
        assert function(head, "PUT", f"metric-snapshots?{PERIOD}").status_code == 200
    if name == "read_hierarchy_stats":
        assert ask(head, forest).status_code == 200
        forest.db.execute("delete from public.hierarchy_stats_cache where period_year = 2031")
        assert ask(head, forest).status_code == 200
        assert ask(head, forest).status_code == 200  # what is cached costs nothing
        forest.db.execute("delete from public.hierarchy_stats_cache where period_year = 2031")
    else:
        assert [ask(head, forest).status_code for _ in range(2)] == [200, 200]
    answer = ask(head, forest)
    assert (answer.status_code, answer.json()) == (429, TOO_MANY)
    assert 3590 < int(answer.headers["retry-after"]) <= 3600


@pytest.mark.parametrize(
    ("method", "slug"),
    [
        pytest.param("PUT", f"metric-snapshots?{PERIOD}", id="metric-snapshots"),
        pytest.param("GET", f"snapshot-status?{PERIOD}", id="snapshot-status"),
        pytest.param("GET", f"verify-snapshot?{PERIOD}", id="verify-snapshot"),
        pytest.param("GET", "bufdir-alignment?year=2026", id="bufdir-alignment"),
        pytest.param("POST", "refresh-stats-views", id="refresh-stats-views"),
        pytest.param("GET", "hierarchy-stats?unit_id={}&year=2032", id="hierarchy-stats"),
    ],
)
def test_a_function_passes_the_refusal_on(
    forest: Forest, head: Caller, limits: Callable[..., None], method: str, slug: str
) -> None:
    assert function(head, "PUT", f"metric-snapshots?{PERIOD}").status_code == 200
    slug = slug.format(forest.units["leaf"])
    assert function(head, method, slug).status_code == 200
    forest.db.execute("delete from public.hierarchy_stats_cache where period_year = 2032")
    for work in ("report", "refresh", "summary"):
        limits(work, 1, 1)
        forest.db.execute(
            "insert into private.work_done values (%s, %s, now() + interval '1 hour')"
            " on conflict (work, subject_id) do update set paid_until = excluded.paid_until",
            [work, forest.organization],
        )
    answer = function(head, method, slug)
    assert answer.status_code == 429, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("rate_limited", TOO_MANY["message"])
    assert 3590 < int(answer.headers["retry-after"]) <= 3600
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_a_limit_is_the_persons_and_the_organisations(
    stack: Stack, forest: Forest, head: Caller, colleague: Caller, limits: Callable[..., None]
) -> None:
    limits("report", 2, 3)
    assert [report(head, forest).status_code for _ in range(3)] == [200, 200, 429]
    assert report(colleague, forest).status_code == 200  # the other person is not held back by the first
    answer = report(colleague, forest)  # but the organisation has used what it has
    assert (answer.status_code, answer.json()) == (429, TOO_MANY)
    with psycopg.connect(stack.db_url) as connection:
        query = (
            "select id, organization_id from public.profiles"
            " where role = 'org_admin' and organization_id <> %s"
        )
        row = connection.execute(query, [forest.organization]).fetchone()
    assert row
    neighbour = Caller(stack, token(stack, *row))
    body = YEAR | {"p_org_id": str(row[1])}
    assert neighbour.call("POST", "rpc/generate_bufdir_report", body).status_code == 200


def test_waiting_as_long_as_the_answer_says_is_enough(
    forest: Forest, head: Caller, limits: Callable[..., None]
) -> None:
    limits("report", 1, 5, "2 seconds")
    assert report(head, forest).status_code == 200
    answer = report(head, forest)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) in {1, 2}
    time.sleep(int(answer.headers["retry-after"]))
    assert report(head, forest).status_code == 200


def test_a_clock_set_back_shuts_nobody_out(
    forest: Forest, head: Caller, head_id: UUID, limits: Callable[..., None]
) -> None:
    limits("report", 2, 5, "1 second")
    assert report(head, forest).status_code == 200
    forest.db.execute(
        "update private.work_done set paid_until = now() + interval '1 day' where subject_id = any (%s)",
        [[forest.organization, head_id]],
    )
    assert report(head, forest).status_code == 200


def test_what_is_refused_uses_nothing_up(
    forest: Forest, callers: dict[str, Caller], limits: Callable[..., None]
) -> None:
    limits("report", 1, 1)
    for name in ("stranger", "anonymous"):
        assert report(callers[name], forest).status_code in {401, 403}
    wrong = {"p_org_id": str(uuid4())} | YEAR
    assert callers["org admin"].call("POST", "rpc/generate_bufdir_report", wrong).status_code == 403
    assert report(callers["org admin"], forest).status_code == 200


def test_a_request_that_may_not_write_computes_nothing(forest: Forest, head: Caller) -> None:
    """It could not count what it does."""
    query = f"p_org_id={forest.organization}&p_period_start=2026-01-01&p_period_end=2027-01-01"
    for method in ("GET", "HEAD"):
        assert head.call(method, f"rpc/generate_bufdir_report?{query}").status_code == 405
    assert report(head, forest).status_code == 200


def test_an_organisation_computes_one_thing_at_a_time(
    stack: Stack, forest: Forest, head: Caller, colleague: Caller
) -> None:
    assert report(head, forest).status_code == 200
    with psycopg.connect(stack.db_url) as computing:
        computing.execute(
            "update private.work_done set paid_until = paid_until where subject_id = %s",
            [forest.organization],
        )
        answer = report(colleague, forest)  # which waits for a moment, in vain
        assert (answer.status_code, answer.json()) == (429, COMPUTING)
        assert answer.headers["retry-after"] == "1"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(report, colleague, forest)
            blocked = "select from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
            eventually(
                lambda: forest.db.execute(blocked, [computing.info.backend_pid]).fetchone() is not None
            )
            computing.rollback()
            assert waiting.result().status_code == 200


def test_a_hundred_reports_at_once_leave_most_places_free(forest: Forest, head: Caller) -> None:
    """Some are answered, the others refused at once, and each says when to come again."""
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: report(head, forest), range(100)))
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    expected = [TOO_MANY, TOO_MANY_AT_ONCE, COMPUTING]
    assert [answer.json() for answer in refused if answer.json() not in expected] == []


def test_refreshes_are_for_those_who_run_things(callers: dict[str, Caller]) -> None:
    statuses = {
        name: caller.call("POST", "rpc/take_refresh_turn").status_code for name, caller in callers.items()
    }
    assert statuses == {"org admin": 204, "peer mentor": 403, "stranger": 403, "anonymous": 401}


def test_the_limits_are_those_of_the_documentation(forest: Forest) -> None:
    query = """
        select work, person_burst, extract(epoch from person_interval)::float, organization_burst,
               extract(epoch from organization_interval)::float
        from private.work_limits order by work
    """
    rows: list[Any] = forest.db.execute(query).fetchall()
    assert rows == [
        ("refresh", 6, 10.0, 12, 5.0),
        ("report", 60, 1.0, 120, 0.5),
        ("summary", 40, 0.1, 120, 0.05),
    ]


def test_nobody_changes_limits_through_the_api(callers: dict[str, Caller]) -> None:
    for caller in callers.values():
        for path in ("work_limits", "work_done"):
            assert caller.call("GET", path, accept_profile="private").status_code == 406
        assert caller.call("POST", "rpc/take_turn", {"p_work": "report"}).status_code == 404
