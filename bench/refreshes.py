"""What a refresh costs: the tuned snapshots against the same ones as one would first write them."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from bench.reads import BATCH, SQL, make_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

# The snapshots of the statistics; others (the hierarchy's) are measured too, and compared apart.
STATISTICS = ("mv_activity_time_series", "mv_chapter_stats", "mv_peer_mentor_stats")


@dataclass(frozen=True)
class RefreshCost:
    """Milliseconds to bring one snapshot up to date with a thousand changes, CONCURRENTLY, of each round."""

    rows: int
    view: str
    tuned_ms: list[float]
    untuned_ms: list[float]


def measure(db_url: str, rows: int, rounds: int) -> list[RefreshCost]:
    """Refresh each snapshot and its untuned twin in turn, after a thousand new activities in each round.

    Raises AssertionError if the two kinds do not hold the same views.
    """
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute((SQL / "untuned.sql").read_bytes())
        views = _views(connection, "untuned")
        if views != _views(connection, "stats"):
            raise AssertionError(
                "bench/sql/untuned.sql does not mirror the materialised views of schema stats"
            )
        costs = [RefreshCost(rows, view, [], []) for view in views]
        for _ in range(rounds):
            make_pending(connection, BATCH)
            for cost in costs:
                with _settings_of_refresh(connection):
                    cost.tuned_ms.append(_time(connection, "stats", cost.view))
                cost.untuned_ms.append(_time(connection, "untuned", cost.view))
        return costs


def ratio(costs: list[RefreshCost]) -> float:
    """Return the median, over the rounds, of what all these cost tuned by what they cost untuned."""
    tuned: list[float] = [sum(times) for times in zip(*(cost.tuned_ms for cost in costs), strict=True)]
    untuned: list[float] = [sum(times) for times in zip(*(cost.untuned_ms for cost in costs), strict=True)]
    return float(statistics.median(one / other for one, other in zip(tuned, untuned, strict=True)))


def _views(connection: psycopg.Connection, schema: str) -> list[str]:
    query = "select matviewname from pg_matviews where schemaname = %s order by 1"
    return [name for (name,) in connection.execute(query, (schema,))]


@contextmanager
def _settings_of_refresh(connection: psycopg.Connection) -> Iterator[None]:
    """Have the session's settings be those that stats.refresh sets for itself."""
    query = "select unnest(proconfig) from pg_proc where oid = 'stats.refresh(boolean)'::regprocedure"
    settings = [setting.split("=", 1) for (setting,) in connection.execute(query)]
    chosen = [(name, value) for name, value in settings if name != "search_path"]
    for name, value in chosen:
        connection.execute("select set_config(%s, %s, false)", (name, value))
    yield
    for name, _ in chosen:
        connection.execute(sql.SQL("reset {}").format(sql.Identifier(name)))


def _time(connection: psycopg.Connection, schema: str, view: str) -> float:
    started = time.perf_counter()
    connection.execute(
        sql.SQL("refresh materialized view concurrently {}").format(sql.Identifier(schema, view))
    )
    return (time.perf_counter() - started) * 1000
