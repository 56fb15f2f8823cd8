"""Writers, refreshers and an administrator at once, and a crash in the middle: every comparison is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.resilience import operations
from tests.resilience.comparison import differences, public_differences
from tests.resilience.hierarchy_sessions import Drainer
from tests.resilience.load import Load
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, Scene, load_scene
from tests.resilience.sessions import Administrator, Auditor, Checker, Refresher, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.load import Session
    from tests.resilience.own_cluster import OwnCluster

BEFORE_THE_CRASH = 600
# What must have happened before the result counts: it was a load, and all of it took place.
IN_ALL = {
    "comparison": 1100,
    "committed": 300,
    "rolled back": 30,
    "refreshed": 40,
    "refreshed by hand": 100,
    "refresh rolled back": 20,
    "drained": 40,
    "audited": 60,
}


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("load") as cluster:
        with cluster.connect() as connection:
            # refreshes are due at once, few rows are fought over: as much as possible happens to each
            connection.execute("update stats.settings set debounce = '0'")
            connection.execute("delete from public.expense_claims")
            connection.execute("delete from public.activities")
        yield cluster


def test_every_comparison_is_exact_under_load_and_across_a_crash(own: OwnCluster) -> None:
    with own.connect() as connection:
        scene = load_scene(connection)
    load = Load(own)

    with load.running(_everybody(scene, first_writer=1)):
        load.wait_for("comparison", BEFORE_THE_CRASH)
        load.crash()
    own.start()
    _assert_exact(own, scene)

    with load.running(_everybody(scene, first_writer=11)):
        for what, count in IN_ALL.items():
            load.wait_for(what, count)
    _assert_exact(own, scene)


def test_control_one_lost_change_fails_the_comparison(own: OwnCluster) -> None:
    """The same checker, started the same way, does not overlook a single one."""
    load = Load(own)
    with own.connect() as connection:
        scene = load_scene(connection)
        draft = Draft(0, 0, 0, 0, "2026-05-17 12:00Z", 60, 2, "registered")
        operations.insert(connection, [scene.activity(UUID(int=1), draft)])
        lost = "delete from stats.activity_changes where id = (select max(id) from stats.activity_changes)"
        connection.execute(lost)
        with pytest.raises(AssertionError, match="differences, such as"), load.running([Checker(scene)]):
            load.wait_for("comparison", 1)
        assert load.done["comparison"] == 0
        connection.execute("select stats.rebuild()")
    _assert_exact(own, scene)


def _everybody(scene: Scene, first_writer: int) -> list[Session]:
    writers = [Writer(first_writer + number, scene) for number in range(4)]
    return [
        *writers,
        Refresher(),
        Refresher(),
        Administrator(first_writer),
        Auditor(),
        Drainer(first_writer),
        Checker(scene),
        Checker(scene),
    ]


def _assert_exact(own: OwnCluster, scene: Scene) -> None:
    with own.connect() as connection, connection.transaction():
        assert differences(connection) == []
        assert public_differences(connection, scene.organization, scene.admin) == []
