"""`make bench-hierarchy`: how soon and how surely summaries are invalidated, and what they cost.

It starts a whole stack of its own, with 1,400 chapters in it, and removes it again. The last line names the
targets that were missed; only with --strict is that a failure.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console

from bench import hierarchy_figures, hierarchy_reads, hierarchy_writers, verdicts
from bench.hierarchy_invalidation import Invalidation, Listener, wait_until_drained
from local import command, processes, services
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tools.large.activities import Request
from tools.large.population import Population
from tools.large.seed import DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.progress import Progress

STATE_DIR = ROOT / ".stack-bench-hierarchy"
YEAR = DEFAULT_UNTIL.year
DEFAULT_ROWS, QUICK_ROWS = 1_000_000, 20_000
ROUNDS, QUICK_ROUNDS = 10, 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    arguments = _arguments(sys.argv[1:] if words is None else words)
    console = command.tables()
    progress = Terminal(Console(stderr=True))
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    started = time.monotonic()
    with _stack(progress) as stack:
        with progress.step(f"{arguments.rows:,} activities in 1,400 chapters"):
            request = Request(arguments.rows, seed=1, until=DEFAULT_UNTIL)
            seed(stack.db_url, request)
        figures = _measure(stack, progress, arguments.rows, rounds)
    table, missed = hierarchy_figures.table(figures)
    console.print(table)
    hierarchy_figures.save(figures)
    console.print(f"{time.monotonic() - started:.0f} s; written to {hierarchy_figures.OUTPUT}")
    return verdicts.conclude(console, missed, strict=arguments.strict)


def _measure(stack: Stack, progress: Progress, rows: int, rounds: int) -> dict[str, float]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        wait_until_drained(connection)
        processes.stop(stack.instance, "pg_net")  # nothing is drained while reads are measured
        connection.execute("vacuum (analyze)")
        with progress.step("reads and computations"):
            figures = hierarchy_reads.measure(connection, rows, YEAR, rounds)
        # what a dashboard has read of late is computed anew after each invalidation: that is part of the load
        connection.execute(
            "select public.record_node_reads(jsonb_object_agg(id, 10)) from public.organization_units "
            "where organization_id = %s and kind in ('national', 'region')",
            [Population.organization_id],
        )
    processes.ensure(stack.instance, services.pg_net(stack.instance))
    listener = Listener(stack.admin_db_url)
    listener.start()
    invalidation = Invalidation(stack.db_url, listener, YEAR)
    with progress.step("invalidations: 50 commits"):
        for _ in range(rounds):
            invalidation.fifty_commits()
    with progress.step("invalidations: 500 rows in one commit"):
        for _ in range(rounds * 2):
            invalidation.five_hundred_rows()
    listener.close()
    processes.stop(stack.instance, "pg_net")
    with progress.step("writers with and without the triggers"):
        return {**figures, **invalidation.figures(), **hierarchy_writers.measure(stack.instance, rounds)}


@contextmanager
def _stack(progress: Progress) -> Iterator[Stack]:
    stack = Stack(STATE_DIR, Ports.free(), progress=progress)
    try:
        stack.start()
        yield stack
    finally:
        stack.destroy()


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.hierarchy", description=__doc__)
    rows = f"activities (default {DEFAULT_ROWS:,}, quick {QUICK_ROWS:,})"
    parser.add_argument("--rows", type=int, help=rows)
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    arguments.rows = arguments.rows or (QUICK_ROWS if arguments.quick else DEFAULT_ROWS)
    return arguments


if __name__ == "__main__":
    sys.exit(command.run(main))
