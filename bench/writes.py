"""What statistics cost the writer: the bare table, a refresh in the writer's commit, and Fersk."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from bench import pgbench
from bench.helpers import Drain, Helper, Refresh, Watch
from bench.reads import SQL

if TYPE_CHECKING:
    from bench.laboratory import Laboratory

BARE, NAIVE, FERSK = "bare", "naive", "fersk"
VARIANTS = (BARE, NAIVE, FERSK)
TURNS, TURN_SECONDS = 5, 2


@dataclass(frozen=True)
class Scenario:
    """A kind of load: how many writers, in which chapters, how many rows a statement; repeated how often.

    seconds : of one turn.
    folds   : whether folds go on all the time, as in operation; they take the processors that the writers
              have here to themselves otherwise.
    """

    name: str
    writers: int
    slots: str = "slots"
    slot_count: int = 20_000
    rows: int = 1
    rounds: int = 3
    seconds: int = TURN_SECONDS
    folds: bool = False

    @property
    def load(self) -> pgbench.Load:
        """What pgbench does in one turn."""
        return pgbench.Load(self.writers, self.seconds, self.slots, self.slot_count, self.rows)


SCENARIOS = (
    Scenario("single", 1, rounds=1),
    Scenario("spread", 8),
    Scenario("hot", 8, slots="hot_slots", slot_count=2_000),
    Scenario("bulk", 2, rows=1_000),
    Scenario("spread_folding", 8, rounds=1, folds=True),
    Scenario("bulk_folding", 2, rows=1_000, rounds=1, folds=True),
)


@dataclass(frozen=True)
class Cell:
    """One variant in one round: all its turns. Latencies in milliseconds, of one statement with its commit.

    lock_wait_share : part of all writers' time spent waiting for a heavyweight lock, by kind of lock.
    refresh_ms      : how long the refresh in one of the turns took (Fersk only).
    """

    scenario: str
    variant: str
    round: int
    rows_per_second: float
    p99_ms: float
    max_ms: float
    lock_wait_share: dict[str, float]
    refresh_ms: float | None


@dataclass
class Turns:
    """What the turns of one variant in one round have brought so far."""

    latencies: list[float] = field(default_factory=list)
    samples: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    refresh_ms: float | None = None
    ended: float | None = None  # the last one, on the monotonic clock

    def cell(self, scenario: Scenario, variant: str, n: int, seconds: float) -> Cell:
        """Sum them up, as of `seconds` under load."""
        return Cell(
            scenario=scenario.name,
            variant=variant,
            round=n,
            rows_per_second=len(self.latencies) * scenario.rows / seconds,
            p99_ms=pgbench.percentile(self.latencies, 0.99),
            max_ms=max(self.latencies),
            lock_wait_share={k: v / self.samples / scenario.writers for k, v in self.waiting.items()},
            refresh_ms=self.refresh_ms,
        )


def measure(lab: Laboratory, scenario: Scenario, source: str, turns: int = TURNS) -> list[Cell]:
    """Run a scenario on every variant, in each round on fresh copies of the database `source`.

    The variants take turns of two seconds, so that what else the machine does hits all alike. Five turns
    make up the ten seconds between two refreshes, and one of Fersk's has one, which folds as well; the naive
    variant's ten seconds stand still while it is not its turn.
    """
    cells: list[Cell] = []
    for n in range(scenario.rounds):
        for variant in VARIANTS:
            _prepare(lab.copy(variant, source), variant)
        with psycopg.connect(lab.url("template1", admin=True), autocommit=True) as connection:
            connection.execute("checkpoint")
        found = {variant: Turns() for variant in VARIANTS}
        for turn in range(turns):
            for variant in VARIANTS:
                _take_turn(
                    lab, scenario, variant, found[variant], refresh=variant == FERSK and turn == turns // 2
                )
        cells += [found[variant].cell(scenario, variant, n, turns * scenario.seconds) for variant in VARIANTS]
    for variant in VARIANTS:
        lab.drop(variant)
    return cells


def _prepare(db_url: str, variant: str) -> None:
    with psycopg.connect(db_url) as connection:
        if variant in {BARE, NAIVE}:
            connection.execute((SQL / "bare.sql").read_bytes())
        if variant == NAIVE:
            connection.execute((SQL / "naive.sql").read_bytes())


def _take_turn(lab: Laboratory, scenario: Scenario, variant: str, found: Turns, *, refresh: bool) -> None:
    watch = Watch(lab.url(variant, admin=True))
    helpers: list[Helper] = [watch]
    if variant == FERSK and scenario.folds:
        helpers.append(Drain(lab.url(variant)))
    if refresh:
        helpers.append(refresher := Refresh(lab.url(variant)))
    if variant == NAIVE and found.ended:
        _stop_clock(lab.url(variant), time.monotonic() - found.ended)
    for helper in helpers:
        helper.start()
    try:
        done = pgbench.run(scenario.load, port=lab.port, password=lab.password, database=variant)
        found.latencies += [transaction.milliseconds for transaction in done]
    finally:
        for helper in helpers:
            helper.done.set()
        for helper in helpers:
            helper.join()
    for helper in helpers:
        if helper.error:
            raise helper.error
    found.ended = time.monotonic()
    found.samples += watch.samples
    found.waiting.update(watch.waiting)
    if refresh:
        found.refresh_ms = refresher.milliseconds


def _stop_clock(db_url: str, seconds: float) -> None:
    """Move the naive variant's last refresh by the time that the other variants had."""
    with psycopg.connect(db_url) as connection:
        connection.execute(
            "update naive.stats_refresh_log"
            " set last_refreshed_at = last_refreshed_at + %s * interval '1 second' where true",
            (seconds,),
        )


def ratio_to_bare(cells: list[Cell], scenario: str, variant: str) -> float:
    """Return the median, over the rounds, of the variant's throughput by the bare table's."""
    rates = {(c.variant, c.round): c.rows_per_second for c in cells if c.scenario == scenario}
    return statistics.median(rates[variant, n] / rates[BARE, n] for v, n in rates if v == variant)
