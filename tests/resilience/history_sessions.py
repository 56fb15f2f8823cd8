"""Readers whose every answer is kept with its snapshot; and those who rebuild, audit and sweep meanwhile."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from tests.resilience.hierarchy_sessions import YEARS, act_as
from tests.resilience.history import Read, parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tests.resilience.own_cluster import Connection
    from tests.resilience.scene import Scene

# Of each relation the rows that Truth gives, as one JSON array, so that one statement returns several.
_MONTHS: LiteralString = "'2025-01-01', '2026-12-31'"
RELATIONS: dict[str, LiteralString] = {
    "chapter_stats": "select jsonb_agg(jsonb_build_array(chapter_id, activity_count, total_hours, "
    "active_peer_mentors)) from public.chapter_stats",
    "peer_mentor_stats": "select jsonb_agg(jsonb_build_array(peer_mentor_id, chapter_id, activity_count, "
    "total_hours, last_activity_date)) from public.peer_mentor_stats",
    "activity_time_series": "select jsonb_agg(jsonb_build_array(bucket_date, chapter_id, activity_count, "
    "total_hours)) from public.activity_time_series",
    "coordinator_monthly_stats": "select jsonb_agg(jsonb_build_array(coordinator_id, activity_month, "
    "activity_type_id, activity_count, total_duration_minutes, total_hours, approved_expenses_nok)) "
    "from public.coordinator_monthly_stats",
    "get_activity_series": "select jsonb_agg(jsonb_build_array(bucket_date, activity_count, total_hours)) "
    f"from app.get_activity_series({_MONTHS}, 'month', null) where activity_count <> 0",
}
# What the API's get_monthly_series returns after it has taken its lock, in a snapshot of its own.
_MONTHLY: LiteralString = (
    "select jsonb_agg(jsonb_build_array(activity_month, activity_count, total_duration_minutes, total_hours, "
    "approved_expenses_nok)) from %s where activity_count <> 0"
)
_ROWS_OF_MONTHS: LiteralString = f"app.monthly_series(%s, {_MONTHS})"
_API_MONTHS: LiteralString = (
    f"jsonb_to_recordset(public.get_monthly_series(%s, {_MONTHS})) as m (activity_month date, "
    "activity_count bigint, total_duration_minutes bigint, total_hours numeric, "
    "approved_expenses_nok numeric)"
)
ISOLATIONS = ["read committed", "repeatable read", "serializable"]


class HistoryReader:
    """An org admin who reads live figures and summaries, and keeps the answers."""

    admin = False

    def __init__(self, seed: str, scene: Scene, units: Sequence[UUID], log: list[Read]) -> None:
        self._random = random.Random(seed)  # noqa: S311  work, not secrets
        self._scene = scene
        self._units = units
        self._log = log

    def step(self, connection: Connection) -> str:
        isolation = self._random.choice(ISOLATIONS)
        reads: list[Read] = []
        with connection.transaction():
            connection.execute(sql.SQL("set transaction isolation level {}").format(sql.SQL(isolation)))
            act_as(connection, self._scene.organization, self._scene.admin)
            for _ in range(1 if isolation == "read committed" else 4):
                reads += self._read(connection, isolation)
        self._log.extend(reads)  # what a failed transaction read does not count
        assert isolation == "read committed" or len({read.snapshot for read in reads}) <= 1
        return "read"

    def _read(self, connection: Connection, isolation: str) -> list[Read]:
        choice = self._random.random()
        if choice < 0.15:
            return [self._monthly(connection, isolation)]
        if choice < 0.55:
            return self._summary(connection, isolation)
        names = self._random.sample(list(RELATIONS), 3)
        return read_relations(connection, names, isolation)

    def _monthly(self, connection: Connection, isolation: str) -> Read:
        coordinator = self._random.choice(self._scene.coordinators)
        months = _ROWS_OF_MONTHS if isolation == "read committed" else _API_MONTHS
        row = connection.execute(
            f"select pg_current_snapshot()::text, ({_MONTHLY.replace('%s', months)})::text", [coordinator]
        ).fetchone()
        assert row is not None
        return Read("get_monthly_series", (str(coordinator), 0), row[0], parse_json(row[1]), isolation)

    def _summary(self, connection: Connection, isolation: str) -> list[Read]:
        """Through the API: at READ COMMITTED its snapshot is its own, between one before and one after."""
        unit, year = self._random.choice(self._units), self._random.choice(YEARS)
        before = _snapshot(connection)
        row = connection.execute("select public.read_hierarchy_stats(%s, %s)::text", [unit, year]).fetchone()
        assert row is not None
        answer = parse_json(row[0])
        until = _snapshot(connection) if isolation == "read committed" else None
        if answer["stale"]:
            return []
        return [Read("hierarchy", (str(unit), year), before, answer["payload"], isolation, until)]


class SummaryReader:
    """The owner: many summaries in one statement, so in one snapshot, also at READ COMMITTED."""

    admin = False

    def __init__(self, seed: str, units: Sequence[UUID], log: list[Read]) -> None:
        self._random = random.Random(seed)  # noqa: S311  work, not secrets
        self._units = units
        self._log = log

    def step(self, connection: Connection) -> str:
        year = self._random.choice(YEARS)
        self._log.extend(read_summaries(connection, self._units, year))
        unit = self._random.choice(self._units)
        connection.execute("select public.refresh_hierarchy_entry(%s, %s)", [unit, year])
        return "read"


def read_relations(connection: Connection, names: Sequence[str], isolation: str) -> list[Read]:
    """Several relations in one statement."""
    columns = ", ".join(f"({RELATIONS[name]})::text" for name in names)
    row = connection.execute(f"select pg_current_snapshot()::text, {columns}".encode()).fetchone()
    assert row is not None
    return [
        Read(name, None, row[0], parse_json(answer), isolation)
        for name, answer in zip(names, row[1:], strict=True)
    ]


def read_summaries(connection: Connection, units: Sequence[UUID], year: int) -> list[Read]:
    """Those that are called fresh, in one statement."""
    rows = connection.execute(
        "select pg_current_snapshot()::text, u::text, stats.cached_hierarchy_stats(u, %s)::text "
        "from unnest(%s) u",
        [year, list(units)],
    ).fetchall()
    answers = [(snapshot, unit, parse_json(answer)) for snapshot, unit, answer in rows]
    return [
        Read("hierarchy", (unit, year), snapshot, answer["payload"], "read committed")
        for snapshot, unit, answer in answers
        if answer is not None and not answer["stale"]
    ]


def _snapshot(connection: Connection) -> str:
    row = connection.execute("select pg_current_snapshot()::text").fetchone()
    assert row is not None
    return str(row[0])


class Caretaker:
    """Folds, rebuilds, audits and sweeps, at every isolation level; an audit must find nothing."""

    admin = False
    _WORK: tuple[LiteralString, ...] = (
        "select stats.fold() ->> 'outcome'",
        "select stats.fold() ->> 'outcome'",
        "select 'rebuilt', stats.rebuild(array[%(chapter)s])",
        "select 'rebuilt', stats.rebuild()",
        "select 'difference: ' || a::text from stats.audit() a union all select 'audited'",
        "select 'swept', stats.sweep()",
    )

    def __init__(self, seed: str, scene: Scene) -> None:
        self._random = random.Random(seed)  # noqa: S311  work, not secrets
        self._scene = scene

    def step(self, connection: Connection) -> str:
        connection.execute("select pg_sleep(0.05)")  # as a schedule would, only sooner
        work = self._random.choice(self._WORK)
        isolation = self._random.choice(ISOLATIONS)
        with connection.transaction():
            connection.execute(sql.SQL("set transaction isolation level {}").format(sql.SQL(isolation)))
            row = connection.execute(work, {"chapter": self._random.choice(self._scene.chapters)}).fetchone()
        assert row is not None
        assert not row[0].startswith("difference"), row
        return str(row[0])
