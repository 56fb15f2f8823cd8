"""What the upkeep costs: a fold of so many changes, and a refresh of the materialised views."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

import psycopg

from bench.reads import make_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGES = (0, 1_000, 10_000)
WARMING_ROUNDS = 2  # a page that was full of rows makes room for their next versions once
REFRESH_AFTER = 1_000


@dataclass(frozen=True)
class UpkeepCost:
    """Milliseconds of each round, in a data set of so many rows, for so many changes."""

    rows: int
    work: str
    changes: int
    milliseconds: list[float]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.milliseconds)


def measure(db_url: str, rows: int, rounds: int) -> Iterator[UpkeepCost]:
    """Fold the changes of as many new activities, and refresh everything after some; round by round."""
    with psycopg.connect(db_url, autocommit=True) as connection:
        for changes in CHANGES:
            times = [_fold(connection, changes) for _ in range(WARMING_ROUNDS + rounds)]
            yield UpkeepCost(rows, "fold", changes, times[WARMING_ROUNDS:])
        yield UpkeepCost(rows, "refresh", REFRESH_AFTER, [_refresh(connection) for _ in range(rounds)])


def _fold(connection: psycopg.Connection, changes: int) -> float:
    make_pending(connection, changes)
    return _time(connection, "select stats.fold()")


def _refresh(connection: psycopg.Connection) -> float:
    _fold(connection, REFRESH_AFTER)
    return _time(connection, "select stats.refresh_views()")


def _time(connection: psycopg.Connection, statement: LiteralString) -> float:
    started = time.perf_counter()
    connection.execute(statement)
    return (time.perf_counter() - started) * 1000
