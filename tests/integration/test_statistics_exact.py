"""Whatever is written and refreshed, in whichever order: every statistic equals the plain aggregate, at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.resilience import operations
from tests.resilience.comparison import differences, public_differences
from tests.resilience.machine import Statistics
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import load_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

# The same histories each time. FERSK_EXPLORE=2000 plays that many new ones instead.
EXPLORE = int(os.environ.get("FERSK_EXPLORE", "0"))
HISTORIES = settings(
    max_examples=EXPLORE or 40,
    stateful_step_count=30,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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
