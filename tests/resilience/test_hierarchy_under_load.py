"""Writers, drainers, readers and schedules at once, and a crash: nothing lost, nothing wrongly fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.resilience.hierarchy_sessions import (
    ContactWriter,
    Drainer,
    EntryChecker,
    Precomputer,
    Reader,
    drain,
    units_of,
)
from tests.resilience.hierarchy_truth import fresh_entries, wrong_entries
from tests.resilience.load import Load
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import load_scene
from tests.resilience.sessions import Refresher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.load import Session
    from tests.resilience.own_cluster import OwnCluster

WRITERS, DRAINERS = 20, 3
# It is a load: each of these happens, and often.
IN_ALL = {
    "comparison": 300,
    "committed": 400,
    "rolled back": 40,
    "contact changed": 100,
    "drained": 100,
    "drain failed": 10,
    "read fresh": 30,
    "read stale": 30,
    "computed ahead": 40,
    "refreshed": 40,
}


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("hierarchy-load") as cluster:
        with cluster.connect() as connection:
            connection.execute("delete from public.expense_claims")
            connection.execute("delete from public.activities")
            drain(connection)
        yield cluster


def test_nothing_is_lost_or_wrongly_fresh_under_load_and_across_a_crash(own: OwnCluster) -> None:
    load = Load(own)
    with load.running(_everybody(own, first=1)):
        for what, count in IN_ALL.items():
            load.wait_for(what, count // 2)
        load.crash()
    own.start()
    _assert_nothing_lost(own)

    with load.running(_everybody(own, first=101)):
        for what, count in IN_ALL.items():
            load.wait_for(what, count)
    _assert_nothing_lost(own)


def _everybody(own: OwnCluster, first: int) -> list[Session]:
    with own.connect() as connection:
        scene = load_scene(connection)
        units = units_of(connection, scene)
    return [
        *(ContactWriter(first + number, scene) for number in range(WRITERS)),
        *(Drainer(first + number) for number in range(DRAINERS)),
        *(Reader(first + number, scene, units) for number in range(2)),
        Precomputer(first),
        Refresher(),
        EntryChecker(units),
        EntryChecker(units),
    ]


def _assert_nothing_lost(own: OwnCluster) -> None:
    """Before the rest is drained, after it, and when all is computed anew: then all is fresh, and right."""
    with own.connect() as connection:
        assert wrong_entries(connection) == []
        drain(connection)
        assert connection.execute("select count(*) from stats.unit_changes").fetchone() == (0,)
        assert wrong_entries(connection) == []
        connection.execute(
            "select public.precompute_hierarchy(o.id, y) "
            "from public.organizations o, generate_series(2025, 2026) y"
        )
        fresh = fresh_entries(connection)
        units = connection.execute("select count(*) * 2 from public.organization_units").fetchone()
        assert (len(fresh),) == units
        assert [entry for entry in fresh if entry.said != entry.true] == []
