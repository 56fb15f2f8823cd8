"""The cluster that all tests of faults share; each begins and ends exact, with an empty log."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.resilience.comparison import differences
from tests.resilience.faults.stage import Stage, forget_what_was_asked
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import load_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import OwnCluster


@pytest.fixture(scope="session")
def faults_cluster() -> Iterator[OwnCluster]:
    with own_cluster("faults") as cluster:
        yield cluster


@pytest.fixture
def stage(faults_cluster: OwnCluster) -> Iterator[Stage]:
    with ExitStack() as stack:
        one, two, observer = (stack.enter_context(faults_cluster.connect()) for _ in range(3))
        observer.execute("select stats.rebuild()")
        observer.execute("select stats.refresh(p_force := true)")
        observer.execute("delete from public.hierarchy_stats_cache where true")
        observer.execute("delete from stats.errors where true")
        observer.execute("delete from stats.differences where true")
        forget_what_was_asked(observer)
        yield Stage(faults_cluster, one, two, observer, load_scene(observer))
        for session in (one, two):
            session.execute("rollback")
            session.execute("reset role")
        observer.execute("delete from public.expense_claims where activity_id < %s", [UUID(int=1_000_000)])
        observer.execute("delete from public.activities where id < %s", [UUID(int=1_000_000)])
        assert differences(observer) == []
        assert observer.execute("select * from stats.audit()").fetchall() == []
