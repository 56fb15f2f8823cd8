"""A coordinator of five chapters of a large organisation: what they ask for is found by index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

import pytest

from tests.resilience.own_cluster import own_cluster
from tools.large.activities import Request
from tools.large.population import SLUG
from tools.large.seed import DEFAULT_ROWS, DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tests.resilience.own_cluster import Connection

YEAR = "bucket_date >= '2025-11-01' and bucket_date < '2026-11-01'"
PENDING = 1000
# Small by nature: what has not been folded yet.
READ_WHOLE = {"activity_changes"}

Node = dict[str, Any]


@pytest.fixture(scope="module")
def coordinator() -> Iterator[Connection]:
    """The large data set with changes pending, seen as a coordinator of five of its 1,400 chapters."""
    with own_cluster("plans") as own, own.connect() as connection:
        assert seed(own.url, Request(DEFAULT_ROWS, 1, DEFAULT_UNTIL))
        person, organization, chapters = _five_chapters(connection)
        assert chapters == 5
        connection.execute("select stats.refresh(p_force := true)")
        connection.execute(
            """update public.activities set duration_minutes = duration_minutes %% 1440 + 1 where id in (
                   select id from public.activities where organization_id = %s and is_counted
                   order by id limit %s)""",
            [organization, PENDING],
        )
        connection.execute("analyze")
        claims = {"sub": str(person), "role": "authenticated", "app_metadata": {"org_id": str(organization)}}
        connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        connection.execute("set role authenticated")
        yield connection


def _five_chapters(connection: Connection) -> tuple[UUID, UUID, int]:
    row = connection.execute(
        """select p.id, p.organization_id, count(*)
           from public.profiles p
           join auth.users u on u.id = p.id
           join public.chapter_assignments c on c.profile_id = p.id
           where u.email = %s group by 1""",
        [f"coordinator-1@{SLUG}.example"],
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _plan(connection: Connection, query: LiteralString) -> list[Node]:
    """Run a query and give all nodes of its plan, with what was met while it ran."""
    row = connection.execute(f"explain (analyze, format json) {query}").fetchone()
    assert row is not None
    return list(_nodes(row[0][0]["Plan"]))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


def _read_whole(nodes: list[Node]) -> set[str]:
    scans = [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"] > 0]
    return {node["Relation Name"] for node in scans}


def _index_conditions(nodes: list[Node], index: str) -> list[str]:
    return [node["Index Cond"] for node in nodes if node.get("Index Name") == index]


def _filters_of_changes(nodes: list[Node]) -> list[str]:
    return [node["Filter"] for node in nodes if node.get("Relation Name") == "activity_changes"]


@pytest.mark.parametrize(
    ("query", "index", "columns"),
    [
        pytest.param(
            f"select * from public.activity_time_series where {YEAR}",
            "daily_totals_pkey",
            ["chapter_id = ANY", "bucket_date >=", "bucket_date <"],
            id="a-year-of-days",
        ),
        pytest.param(
            "select * from public.chapter_stats",
            "peer_mentor_totals_pkey",
            ["chapter_id = ANY"],
            id="chapters",
        ),
        pytest.param(
            "select * from public.peer_mentor_stats",
            "peer_mentor_totals_pkey",
            ["chapter_id = ANY"],
            id="peer-mentors",
        ),
    ],
)
def test_the_filter_reaches_totals_and_changes(
    coordinator: Connection, query: LiteralString, index: str, columns: list[str]
) -> None:
    nodes = _plan(coordinator, query)
    assert nodes[0]["Actual Rows"] > 0
    assert _read_whole(nodes) <= READ_WHOLE
    of_totals, of_changes = _index_conditions(nodes, index), _filters_of_changes(nodes)
    assert len(of_totals) == len(of_changes) == 1
    for column in columns:
        assert column in of_totals[0]
        assert column in of_changes[0]


def test_the_last_activity_of_a_peer_mentor_is_one_probe_of_an_index(coordinator: Connection) -> None:
    nodes = _plan(coordinator, "select * from public.peer_mentor_stats")
    (probe,) = [node for node in nodes if node.get("Relation Name") == "activities"]
    assert probe["Node Type"] == "Index Scan"
    assert probe["Scan Direction"] == "Backward"
    for column in ("peer_mentor_id", "organization_id", "unit_id"):
        assert f"{column} = " in probe["Index Cond"]
    assert probe["Actual Loops"] == nodes[0]["Actual Rows"]
    assert probe["Actual Rows"] == 1


def test_a_coordinators_months_are_found_by_their_chapters(coordinator: Connection) -> None:
    nodes = _plan(
        coordinator, "select * from public.coordinator_monthly_stats where activity_month >= '2026-01-01'"
    )
    assert nodes[0]["Actual Rows"] > 0
    assert _read_whole(nodes) == set()
    reads = [node for node in nodes if node.get("Relation Name") == "activities" and node["Actual Loops"] > 0]
    assert len(reads) == 1  # the others are an org admin's
    assert "unit_id = " in reads[0].get("Index Cond", "")


@pytest.mark.parametrize("relation", ["mv_peer_mentor_stats", "mv_chapter_stats", "mv_activity_time_series"])
def test_a_snapshot_is_read_by_index(coordinator: Connection, relation: LiteralString) -> None:
    nodes = _plan(coordinator, f"select * from public.{relation}")
    assert nodes[0]["Actual Rows"] > 0
    assert _read_whole(nodes) == set()


def test_control_a_read_of_everything_is_noticed(coordinator: Connection) -> None:
    """The owner's unfiltered view has no index to use, and the check says so."""
    coordinator.execute("reset role")
    try:
        assert _read_whole(_plan(coordinator, "select * from stats.live_time_series")) == {
            "daily_totals",
            *READ_WHOLE,
        }
    finally:
        coordinator.execute("set role authenticated")


def test_control_a_not_null_domain_in_a_view_keeps_filters_from_the_index(coordinator: Connection) -> None:
    """Why the clients' types come from a database of their own: docs/decisions/0007."""
    coordinator.execute("reset role")
    try:
        coordinator.execute("create domain pg_temp.day as date not null")
        coordinator.execute(
            "create temporary view with_domain with (security_invoker) as"
            " select bucket_date::pg_temp.day as bucket_date, chapter_id from public.activity_time_series"
        )
        coordinator.execute("grant select on with_domain to authenticated")
        coordinator.execute("set role authenticated")
        (condition,) = _index_conditions(
            _plan(coordinator, f"select * from pg_temp.with_domain where {YEAR}"), "daily_totals_pkey"
        )
        assert "chapter_id = ANY" in condition
        assert "bucket_date" not in condition
    finally:
        coordinator.execute("set role authenticated")


def test_the_duplicates_of_a_month_read_that_month_on_both_sides(coordinator: Connection) -> None:
    month: LiteralString = "between '2026-03-01' and '2026-03-31'"
    row = coordinator.execute(
        f"select count(*) from public.activities where activity_date {month}"
    ).fetchone()
    assert row is not None
    nodes = _plan(
        coordinator,
        f"select * from public.possible_duplicates where activity_date {month} and other_date {month}",
    )
    scans = [node for node in nodes if node.get("Relation Name") == "activities"]
    read = [node["Actual Rows"] * node["Actual Loops"] for node in scans]
    assert 0 < max(read) <= row[0]
