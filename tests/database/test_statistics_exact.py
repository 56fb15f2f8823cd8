"""Whatever is written and refreshed, in whichever order: every statistic equals the plain aggregate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.resilience import operations
from tests.resilience.comparison import LIVE, MATERIALIZED_VIEWS, differences, public_differences
from tests.resilience.machine import Statistics
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import MOMENTS, Draft, load_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

# The same histories each time. FERSK_EXPLORE=2000 plays that many new ones instead.
EXPLORE = int(os.environ.get("FERSK_EXPLORE", "0"))
HISTORIES = settings(
    max_examples=EXPLORE or 36,
    stateful_step_count=30,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

DAMAGES: list[LiteralString] = [
    "delete from stats.activity_changes",
    "update stats.activity_changes set activity_count = 2, total_minutes = 120",
    "update stats.activity_changes set bucket_date = bucket_date + 1, chapter_id = peer_mentor_id",
    "update stats.daily_totals set total_minutes = total_minutes + 60 where true",
    "update stats.peer_mentor_totals set activity_count = activity_count + 1 where true",
]


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("exact") as cluster:
        yield cluster


@pytest.fixture
def owner(own: OwnCluster) -> Iterator[Connection]:
    with own.connect() as connection:
        yield connection


def test_every_statistic_is_exact_after_every_step(own: OwnCluster, owner: Connection) -> None:
    class Machine(Statistics):
        pass

    Machine.own = own
    Machine.scene = load_scene(owner)
    run_state_machine_as_test(Machine, settings=HISTORIES)


def test_every_materialised_view_that_exists_is_refreshed_by_the_histories(owner: Connection) -> None:
    rows = owner.execute("select matviewname from pg_matviews where schemaname = 'stats' order by 1")
    assert [name for (name,) in rows] == MATERIALIZED_VIEWS


def test_every_live_view_that_exists_is_compared(owner: Connection) -> None:
    rows = owner.execute(
        "select viewname from pg_views where schemaname = 'stats' and viewname like 'live\\_%' order by 1"
    )
    assert {name for (name,) in rows} == LIVE.keys()


@pytest.mark.parametrize("statement", DAMAGES)
def test_control_the_comparison_notices(owner: Connection, statement: LiteralString) -> None:
    """What the histories never find would be found: one activity is folded, one pending, one damaged."""
    scene = load_scene(owner)
    draft = Draft(0, 0, 0, 0, MOMENTS[0], 60, 2, "registered")
    rows = [scene.activity(UUID(int=number), draft) for number in (1, 2)]
    operations.delete(owner, [row.id for row in rows])
    operations.insert(owner, rows[:1])
    owner.execute("select stats.fold()")
    operations.insert(owner, rows[1:])
    with owner.transaction(force_rollback=True):
        assert differences(owner) == []
        assert public_differences(owner, scene.organization, scene.admin) == []
        owner.execute(statement)
        assert differences(owner) != []
        assert public_differences(owner, scene.organization, scene.admin) != []
    assert differences(owner) == []
