"""What happens beside the writers while they are measured."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE_SECONDS = 0.02
FOLD_SECONDS = 0.5  # about as often as the worker's wake-ups come under load
REFRESH_AFTER_SECONDS = 0.5


class Helper(threading.Thread):
    """A thread with a database connection, that works until `done` and keeps its error for who joins it."""

    def __init__(self, db_url: str) -> None:
        super().__init__(daemon=True)
        self._db_url = db_url
        self.done = threading.Event()
        self.error: psycopg.Error | None = None

    def run(self) -> None:
        """Do the work; a failure ends up in `error`."""
        try:
            with psycopg.connect(self._db_url, autocommit=True) as connection:
                self.work(connection)
        except psycopg.Error as error:
            self.error = error

    def work(self, connection: psycopg.Connection) -> None:
        """Do what this helper is for."""
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run beside the block. Raises the error that ended the work, if one did."""
        self.start()
        try:
            yield
        finally:
            self.done.set()
            self.join()
        if self.error:
            raise self.error


class Drain(Helper):
    """Does in the database what the woken function has it do: acknowledge, and fold."""

    def work(self, connection: psycopg.Connection) -> None:
        """Take what there is, twice a second."""
        while not self.done.wait(FOLD_SECONDS):
            connection.execute("select public.acknowledge_wake_ups()")
            connection.execute("select public.take_unit_changes()")


class Watch(Helper):
    """Looks, many times a second, at which writers wait for a heavyweight lock."""

    def __init__(self, db_url: str) -> None:
        super().__init__(db_url)
        self.samples = 0
        self.waiting: Counter[str] = Counter()

    def work(self, connection: psycopg.Connection) -> None:
        """Count samples, and waiting writers by kind of lock."""
        query = """
            select wait_event, count(*) from pg_stat_activity
            where datname = current_database() and application_name = 'pgbench' and wait_event_type = 'Lock'
            group by 1
        """
        while not self.done.wait(SAMPLE_SECONDS):
            self.samples += 1
            self.waiting.update(dict(connection.execute(query).fetchall()))


class Refresh(Helper):
    """Runs one refresh, shortly after the writers began."""

    def __init__(self, db_url: str) -> None:
        super().__init__(db_url)
        self.milliseconds = math.nan

    def work(self, connection: psycopg.Connection) -> None:
        """Refresh, and keep the duration."""
        time.sleep(REFRESH_AFTER_SECONDS)  # a point in the load, not a condition to wait for
        started = time.perf_counter()
        connection.execute("select stats.refresh(p_force := true)")
        self.milliseconds = (time.perf_counter() - started) * 1000
