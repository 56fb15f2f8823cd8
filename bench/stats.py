"""`make bench-stats`: statistics as plain views and live, side by side in one run, and their upkeep.

It starts a Postgres of its own and removes it again. Every variant is measured in turn, round by round, so
that what else the machine does hits all alike; the figures are ratios or medians. The last line names the
targets that were missed; only with --strict is that a failure.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console

from bench import endurance, reads, report, upkeep, verdicts, writes
from bench.figures import Measurements, label
from bench.laboratory import laboratory
from local import command
from local.progress import Terminal
from tools.large.activities import Request
from tools.large.seed import DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.laboratory import Laboratory
    from local.progress import Progress

SIZES, QUICK_SIZES = (100_000, 1_000_000), (20_000,)
TEN_MILLION = 10_000_000
QUICK_TURNS = QUICK_SECONDS = 1
READ_ROUNDS, UPKEEP_ROUNDS, QUICK_ROUNDS = 5, 7, 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    arguments = _arguments(sys.argv[1:] if words is None else words)
    console = command.tables()
    progress = Terminal(Console(stderr=True))
    measured = Measurements()
    started = time.monotonic()
    with laboratory(progress) as lab:
        for rows in arguments.rows:
            _measure_size(lab, progress, measured, rows, arguments)
    missed = report.show(console, measured)
    report.save(measured)
    console.print(f"{time.monotonic() - started:.0f} s; written to {report.OUTPUT}")
    return verdicts.conclude(console, missed, strict=arguments.strict)


def _measure_size(
    lab: Laboratory, progress: Progress, measured: Measurements, rows: int, arguments: argparse.Namespace
) -> None:
    """Load a data set of this size and measure on it.

    Inserts on the first one only, before the rest; a burst and an old transaction on the last one.
    """
    quick = arguments.quick
    name, size = f"bench_{label(rows)}", label(rows)
    with progress.step(f"{size} activities"):
        _load(lab.copy(name), rows)
    if not measured.cells:
        for scenario in (s for s in writes.SCENARIOS if not (quick and s.folds)):
            chosen = replace(scenario, rounds=1, seconds=QUICK_SECONDS) if quick else scenario
            with progress.step(f"{size}: inserts, {scenario.name}"):
                measured.cells += writes.measure(lab, chosen, name, QUICK_TURNS if quick else writes.TURNS)
    with progress.step(f"{size}: reads"):
        rounds = QUICK_ROUNDS if quick else READ_ROUNDS
        measured.readings += reads.measure(lab.url(name), rows, DEFAULT_UNTIL, rounds)
    with progress.step(f"{size}: folds and refreshes"):
        measured.upkeep += upkeep.measure(lab.url(name), rows, QUICK_ROUNDS if quick else UPKEEP_ROUNDS)
    if rows == arguments.rows[-1]:
        with progress.step(f"{size}: after a burst, and beside an old transaction"):
            measured.endurance += endurance.measure(lab, name, quick=quick)
    lab.drop(name)


def _load(db_url: str, rows: int) -> None:
    seed(db_url, Request(rows, seed=1, until=DEFAULT_UNTIL))
    with psycopg.connect(db_url) as connection:
        connection.execute((reads.SQL / "slots.sql").read_bytes())


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.stats", description=__doc__)
    sizes = f"sizes (default {SIZES}, quick {QUICK_SIZES})"
    parser.add_argument("--rows", type=int, nargs="+", help=sizes)
    parser.add_argument("--with-10m", action="store_true", help="ten million as well: an hour, 15 GB")
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    rows = arguments.rows or (QUICK_SIZES if arguments.quick else SIZES)
    arguments.rows = sorted({*rows, *([TEN_MILLION] if arguments.with_10m else [])})
    return arguments


if __name__ == "__main__":
    sys.exit(command.run(main))
