"""A short run of what `make chaos` does for minutes, and that it would see a loss and a difference."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.resilience.chaos.faults import Scene
from tests.resilience.chaos.run import Report, conclude, run
from tests.resilience.chaos.writers import Writer
from tests.support.stacks import own_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

SEED, FAULTS, ENOUGH = 20, 6, 100
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with own_stack(tmp_path_factory, "chaos") as stack:
        yield stack


def test_nothing_is_lost_or_wrong_whatever_fails(own: Stack) -> None:
    report = run(own, SEED, lambda report: report.faults.total() < FAULTS)
    assert report.holds, f"{report}\n{report.lost}\n{report.differences}\n{report.converged}"
    assert len(report.faults) == FAULTS
    assert report.acknowledged > ENOUGH
    assert report.comparisons > FAULTS


def test_one_lost_write_is_seen_as_lost_and_as_a_difference(own: Stack) -> None:
    """A control: what was acknowledged is taken away behind the triggers' backs."""
    report = Report(seed=0)
    scene = Scene(own, chance=random.Random(0))  # noqa: S311
    writer = Writer(own, "ola", 0)
    with scene.owner() as connection:
        began = connection.execute("select clock_timestamp()").fetchone()
    writer.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not writer.written.certain():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        writer.stop()
    taken = writer.written.certain()[0]
    with psycopg.connect(own.admin_db_url) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("delete from public.activities where id = %s", [taken])
    assert began is not None
    conclude(scene, [writer], report, began[0])
    assert [story.partition(" ")[0] for story in report.lost] == [taken]
    assert report.differences
    assert not report.holds


def test_what_takes_too_long_does_not_hold() -> None:
    assert not Report(seed=1, converged={"one": 31.0}).holds
    assert Report(seed=1, converged={"one": 29.0}).holds
