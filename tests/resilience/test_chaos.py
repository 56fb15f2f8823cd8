"""A short run of what `make chaos` does for minutes, and that it would see a loss and a difference."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from local import processes
from tests.resilience.chaos import steady
from tests.resilience.chaos.faults import Scene
from tests.resilience.chaos.run import Report, conclude, run
from tests.resilience.chaos.writers import COLUMNS, Writer
from tests.support.people import sign_in
from tests.support.stacks import own_stack
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import LiteralString

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


@contextmanager
def commits_without_an_answer(own: Stack) -> Iterator[Callable[[], None]]:
    """Who writes is saved, and waits for a standby that is not there. Gives what ends one such session."""

    def set_standby(command: LiteralString) -> None:
        with psycopg.connect(own.admin_db_url, autocommit=True) as admin:
            admin.execute(command)
            admin.execute("select pg_reload_conf()")

    def end_one() -> None:
        query = """select pg_terminate_backend(pid) from pg_stat_activity
                   where usename = 'authenticator' and wait_event = 'SyncRep' limit 1"""
        with psycopg.connect(own.admin_db_url, autocommit=True) as admin:
            eventually(lambda: admin.execute(query).fetchone())
        set_standby("alter system reset synchronous_standby_names")

    set_standby("alter system set synchronous_standby_names = 'nobody'")
    try:
        yield end_one
    finally:
        set_standby("alter system reset synchronous_standby_names")


def test_a_400_without_a_code_says_nothing_about_what_was_saved(own: Stack) -> None:
    """PostgREST's connection broke at the commit. The page for apps says: send it again."""
    writer = Writer(own, "ola", 1)
    with commits_without_an_answer(own) as end_one:
        writer.start()
        try:
            end_one()
            eventually(lambda: writer.written.unanswered)
        finally:
            writer.stop()
    assert writer.written.failures == {"400 ''": 1}
    name, possible = next(iter(writer.written.possible.items()))
    assert None in possible
    with psycopg.connect(own.db_url) as owner:
        row = owner.execute("select to_jsonb(a) from public.activities a where id = %s", [name]).fetchone()
        assert writer.written.lost(owner) == []
    assert row is not None, "it had been committed"
    sent = {column: row[0][column] for column in (*COLUMNS, "id", "occurred_at", "duration_minutes")}
    headers = sign_in(own, "ola@nhf.example").headers
    with httpx.Client(base_url=own.rest_url, headers=headers, trust_env=False) as http:
        again = http.post("activities", json=sent, headers={"prefer": "resolution=ignore-duplicates"})
        repeated = http.post("activities", json=sent)
    assert again.is_success, again.text
    assert (repeated.status_code, repeated.json()["code"]) == (409, "23505")


def test_at_five_hundred_rows_a_second_nobody_is_refused_and_nothing_differs(own: Stack) -> None:
    """A short run of `make steady`, which also says how long the answers take."""
    processes.stop(own.instance, "rest")  # whose pool still has connections that the tests before broke
    own.start()
    report = steady.run(own, seconds=5)
    assert report.is_right, f"{report}\n{report.errors}\n{report.differences}"
    assert report.rows == report.there > steady.ROWS_AT_ONCE * steady.WRITERS
    assert all(len(durations) > ENOUGH / 10 for durations in report.durations.values())


def test_steady_does_not_hold_with_one_error_loss_or_slow_function() -> None:
    def report(rows: int = 500, there: int = 500, slowest: float = 900.0) -> steady.Report:
        return steady.Report(1, rows, there, {steady.FUNCTIONS: [slowest] * 2})

    assert report().holds
    assert not report(there=499).holds
    assert not report(slowest=1001.0).holds
    assert not report(rows=400, there=400).holds
    assert not replace(report(), errors=Counter(["503"])).holds


def test_what_takes_too_long_does_not_hold() -> None:
    assert not Report(seed=1, converged={"one": 31.0}).holds
    assert Report(seed=1, converged={"one": 29.0}).holds
