"""How soon a commit is marked and broadcast, through the stack's own worker, gateway and function."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg

from bench.pgbench import percentile
from tools.large.population import Population, type_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COMMITS, COMMITS_A_SECOND = 50, 20
BULK_ROWS = 500
LOST_AFTER_SECONDS = 5.0  # what only the sweep would find counts as lost
POLL_SECONDS = 0.05

INSERT = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
                                   occurred_at, duration_minutes)
    select %(organization)s, place.unit_id, place.mentor_id, place.mentor_id, %(type)s,
           make_date(%(year)s, 5, 17), 1
    from unnest(%(units)s::uuid[], %(mentors)s::uuid[]) place (unit_id, mentor_id)
"""
# Of the entries that a commit outdated: how many are called so, and how many are called fresh and are wrong.
LOOK = """
    with entries as materialized (
        select e.unit_id, e.period_year, e.payload, stats.is_outdated(e) as is_outdated
        from public.hierarchy_stats_cache e
        where e.unit_id = any(%(units)s::uuid[]) and e.period_year = %(year)s)
    select count(*) filter (where is_outdated),
           count(*) filter (where case when not is_outdated
                                       then payload <> stats.hierarchy_summary(unit_id, period_year) end)
    from entries
"""


class Listener(threading.Thread):
    """Hears each broadcast when the Realtime server does: by NOTIFY, after the commit that also marked."""

    def __init__(self, admin_url: str) -> None:
        super().__init__(daemon=True)
        self._connection = psycopg.connect(admin_url, autocommit=True)
        self._connection.execute('listen "realtime:messages"')
        self._changed = threading.Condition()
        self._heard: dict[str, float] = {}
        self._error: psycopg.Error | None = None

    def run(self) -> None:
        """Listen until the connection is closed."""
        try:
            for message in self._connection.notifies():
                heard_at = time.perf_counter()
                self._take(message.payload, heard_at)
        except psycopg.OperationalError as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _take(self, message_id: str, heard_at: float) -> None:
        with psycopg.connect(
            self._connection.info.dsn, password=self._connection.info.password
        ) as connection:
            units = connection.execute(
                "select jsonb_array_elements_text(payload -> 'unit_ids') "
                "from realtime.messages where id = %s",
                [message_id],
            ).fetchall()
        with self._changed:
            for (unit_id,) in units:
                self._heard.setdefault(unit_id, heard_at)
            self._changed.notify_all()

    def forget(self) -> None:
        """Begin a new round."""
        with self._changed:
            self._heard.clear()

    def wait_for(self, units: Iterable[str]) -> dict[str, float]:
        """Return when each unit was heard of first since `forget`; those not heard of in time are missing."""
        wanted = set(units)
        with self._changed:
            self._changed.wait_for(lambda: self._error or wanted <= self._heard.keys(), LOST_AFTER_SECONDS)
            if self._error:
                raise self._error
            return {unit: self._heard[unit] for unit in wanted & self._heard.keys()}

    def close(self) -> None:
        """End the thread."""
        self._connection.close()


class Invalidation:
    """Writes, listens, and looks at what readers are told; adds up over rounds."""

    def __init__(self, db_url: str, listener: Listener, year: int) -> None:
        self._writer = psycopg.connect(db_url, autocommit=True)
        self._reader = psycopg.connect(db_url, autocommit=True)
        self._listener = listener
        self._people = Population()
        self._parents = {unit.id: unit.parent_id for unit in self._people.units}
        self._random = random.Random(1)
        self._year = year
        self.commits_ms: list[float] = []
        self.rows_ms: list[float] = []
        self.lost = 0
        self.violations = 0
        self.called_outdated = 0

    def fifty_commits(self) -> None:
        """Commit one row at a time, each in another chapter, and look at its path right after the commit."""
        chapters = self._begin(COMMITS)
        committed: dict[str, float] = {}
        for chapter in chapters:
            time.sleep(self._random.expovariate(COMMITS_A_SECOND))  # as they come, not one after the other
            self._insert([chapter])
            committed[chapter] = time.perf_counter()
            self._look(chapter)
        heard = self._listener.wait_for(chapters)
        self.commits_ms += self._latencies(committed, heard)

    def five_hundred_rows(self) -> None:
        """Commit one statement that touches as many chapters."""
        chapters = self._begin(BULK_ROWS)
        self._insert(chapters)
        committed = dict.fromkeys(chapters, time.perf_counter())
        self._look(chapters[0])
        heard = self._listener.wait_for(chapters)
        if len(heard) == BULK_ROWS:
            self.rows_ms.append(max(self._latencies(committed, heard)))
        else:
            self._latencies(committed, heard)

    def figures(self) -> dict[str, float]:
        """Return what the rounds have brought; `lost` has those that nobody heard of in time."""
        return {
            "stale_seen_at_commit_violations": float(self.violations),
            "reads_called_outdated": float(self.called_outdated),
            "invalidate_p50_ms_50_commits": percentile(self.commits_ms, 0.5),
            "invalidate_p99_ms_50_commits": percentile(self.commits_ms, 0.99),
            "invalidate_p50_ms_500_rows": percentile(self.rows_ms, 0.5),
            "invalidate_p99_ms_500_rows": percentile(self.rows_ms, 0.99),
            "lost_invalidations": float(self.lost),
        }

    def _begin(self, count: int) -> list[str]:
        wait_until_drained(self._reader)
        self._listener.forget()
        return self._random.sample(self._people.chapters, count)

    def _insert(self, chapters: Sequence[str]) -> None:
        ranks = {chapter: rank for rank, chapter in enumerate(self._people.chapters)}
        values: dict[str, Any] = {
            "organization": self._people.organization_id,
            "type": type_id("conversation"),
            "year": self._year,
            "units": list(chapters),
            "mentors": [self._people.mentors_of[ranks[chapter]][0] for chapter in chapters],
        }
        self._writer.execute(INSERT, values)

    def _look(self, chapter: str) -> None:
        values = {"units": list(self._path(chapter)), "year": self._year}
        for outdated, wrong in self._reader.execute(LOOK, values):
            self.called_outdated += outdated
            self.violations += wrong

    def _path(self, unit: str | None) -> Iterator[str]:
        while unit is not None:
            yield unit
            unit = self._parents[unit]

    def _latencies(self, committed: dict[str, float], heard: dict[str, float]) -> list[float]:
        self.lost += len(committed.keys() - heard.keys())
        return [1000 * (heard[unit] - committed[unit]) for unit in heard]


def wait_until_drained(connection: psycopg.Connection) -> None:
    """Wait until the log of changed units is empty. Raises TimeoutError if it does not become so."""
    deadline = time.monotonic() + 90  # beyond a minute the sweep has come by
    while connection.execute("select from stats.unit_changes limit 1").fetchone():
        if time.monotonic() > deadline:
            raise TimeoutError("the log of changed units is not drained")
        time.sleep(POLL_SECONDS)
