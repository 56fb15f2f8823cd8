"""A hypothesis machine: one writer, one administrator who refreshes, one observer, and one truth for all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from psycopg import sql

from tests.resilience.comparison import MATERIALIZED_VIEWS, differences, public_differences
from tests.resilience.machine_writes import Writes, small
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tests.resilience.own_cluster import Connection

views = st.sampled_from(MATERIALIZED_VIEWS)
isolations = st.sampled_from(["read committed", "repeatable read", "serializable"])
CONCURRENTLY = sql.SQL("refresh materialized view concurrently stats.{}")
PLAIN = sql.SQL("refresh materialized view stats.{}")


class Statistics(Writes):
    """Whatever happens in whichever order: after each step every statistic equals the plain aggregate.

    Compared inside the writer's transaction, where its changes count, and from outside, where they do not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dba = self.own.connect(admin=True)
        self.observer = self.own.connect()
        self.dba.execute("set lock_timeout = '20ms'")
        self.isolation: str | None = None  # of the writer's open transaction
        self.savepoints = 0

    def teardown(self) -> None:
        super().teardown()
        self.dba.close()
        self.observer.close()

    @initialize(mode=st.sampled_from(["async", "inline"]))
    def begin_with_nothing(self, mode: str) -> None:
        """The same state each time, so that a failure can be replayed and shrunk."""
        self.dba.execute("delete from public.expense_claims")
        self.dba.execute("delete from public.activities")
        self.dba.execute("update stats.settings set refresh_mode = %s, debounce = '0'", [mode])
        self.time_passes()
        self.writer.execute("select stats.rebuild()")
        self.writer.execute("select public.take_unit_changes()")
        assert self.writer.execute("select count(*) from stats.daily_totals").fetchone() == (0,)

    @invariant()
    def every_statistic_is_exact(self) -> None:
        if self.isolation:
            self.compare_public(self.writer)
            assert differences(self.writer) == []
        else:
            with self.observer.transaction():
                self.compare_public(self.observer)
        assert differences(self.observer) == []

    def chapters(self, chapter: int | None) -> list[UUID] | None:
        """One of the scene's, or null for all."""
        return None if chapter is None else [self.scene.chapters[chapter]]

    def compare_public(self, connection: Connection) -> None:
        assert public_differences(connection, self.scene.organization, self.scene.admin) == []

    # ---------------------------------------------------------------- the writer's transactions

    @precondition(lambda self: not self.isolation)
    @rule(isolation=isolations, at_once=st.booleans())
    def begin(self, isolation: str, *, at_once: bool) -> None:
        """Open a transaction, with its deferred triggers fired at once or at its end; a refresh is due."""
        self.time_passes()
        self.writer.execute(sql.SQL("begin isolation level {}").format(sql.SQL(isolation)))
        if at_once:
            self.writer.execute("set constraints all immediate")
        self.isolation, self.savepoints = isolation, 0

    @precondition(lambda self: self.isolation)
    @rule(how=st.sampled_from(["commit", "commit", "rollback"]))
    def end(self, how: str) -> None:
        self.writer.execute(sql.SQL(how))
        self.isolation = None

    @precondition(lambda self: self.isolation)
    @rule()
    def savepoint(self) -> None:
        self.savepoints += 1
        self.writer.execute(sql.SQL("savepoint s{}").format(self.savepoints))

    @precondition(lambda self: self.isolation and self.savepoints)
    @rule(how=st.sampled_from(["rollback to", "rollback to", "release"]), back=st.integers(0, 2))
    def end_savepoint(self, how: str, back: int) -> None:
        number = max(1, self.savepoints - back)
        self.writer.execute(sql.SQL("{} savepoint s{}").format(sql.SQL(how), number))
        self.savepoints = number if how == "rollback to" else number - 1

    # ---------------------------------------------------------------- refreshes by the writer

    @contextmanager
    def may_be_too_old(self) -> Iterator[None]:
        """Somebody else's rebuild or refresh, newer than the snapshot; nothing else may go wrong."""
        try:
            yield
        except psycopg.errors.SerializationFailure:
            assert self.isolation in {"repeatable read", "serializable"}
            self.end("rollback")

    @rule(view=views)
    def refresh_view(self, view: str) -> None:
        with self.may_be_too_old():
            self.writer.execute(CONCURRENTLY.format(sql.Identifier(view)))

    @rule(view=views)
    def refresh_view_plainly(self, view: str) -> None:
        with self.may_be_too_old():
            self.writer.execute(PLAIN.format(sql.Identifier(view)))  # no live figure reads it

    @rule()
    def refresh_all(self) -> None:
        with self.may_be_too_old():
            row = self.writer.execute("select stats.refresh(true) ->> 'outcome'").fetchone()
            assert row == ("refreshed",) or (
                self.isolation in {"repeatable read", "serializable"} and row == ("already_running",)
            )

    @rule()
    def drain(self) -> None:
        """Folds, in the midst of this transaction."""
        self.writer.execute("select public.take_unit_changes()")

    @rule(chapter=small | st.none())
    def rebuild(self, chapter: int | None) -> None:
        with self.may_be_too_old():
            self.writer.execute("select stats.rebuild(%s)", [self.chapters(chapter)])

    @rule()
    def audit(self) -> None:
        """In the transaction, where its changes count, and outside, where they do not."""
        assert self.writer.execute("select * from stats.audit()").fetchall() == []
        assert self.dba.execute("select * from stats.audit()").fetchall() == []

    # ---------------------------------------------------------------- and by others

    @contextmanager
    def may_wait(self) -> Iterator[None]:
        """What the writer's open transaction has locked cannot be had; without one, everything can."""
        try:
            yield
        except psycopg.errors.LockNotAvailable:
            assert self.isolation

    @rule(view=views)
    def dba_refreshes_view(self, view: str) -> None:
        with self.may_wait():
            self.dba.execute(CONCURRENTLY.format(sql.Identifier(view)))

    @precondition(lambda self: not self.isolation)
    @rule(view=views)
    def dba_refreshes_view_plainly(self, view: str) -> None:
        self.dba.execute(PLAIN.format(sql.Identifier(view)))

    @rule()
    def dba_refreshes_all(self) -> None:
        with self.may_wait():
            row = self.dba.execute("select stats.refresh(true) ->> 'outcome'").fetchone()
            assert row == ("refreshed",) or (self.isolation and row in {("already_running",), ("failed",)})

    @rule()
    def service_refreshes(self) -> None:
        with self.may_wait(), self.dba.transaction():
            self.dba.execute("set local role service_role")
            row = self.dba.execute("select public.refresh_stats_views() ->> 'outcome'").fetchone()
            assert row is not None
            assert row[0] != "failed" or self.isolation

    @rule()
    def service_drains(self) -> None:
        with self.may_wait(), self.dba.transaction():
            self.dba.execute("set local role service_role")
            self.dba.execute("select public.take_unit_changes()")

    @rule(chapter=small | st.none())
    def dba_rebuilds(self, chapter: int | None) -> None:
        with self.may_wait():
            self.dba.execute("select stats.rebuild(%s)", [self.chapters(chapter)])

    @rule()
    def schedule_sweeps(self) -> None:
        with self.may_wait():
            self.dba.execute("select stats.sweep()")

    @rule()
    def time_passes(self) -> None:
        """As if the last request and the last refresh were long ago."""
        self.dba.execute(FORGET_WHAT_WAS_ASKED)
        with self.may_wait():
            self.dba.execute(
                "update stats.stats_refresh_log "
                "set last_requested_at = null, last_started_at = null, last_duration_ms = 0"
            )
