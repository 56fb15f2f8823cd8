"""`make bench-neighbours`: what an organisation notices while somebody of another one attacks the server.

It starts a stack of its own and removes it again. One signed-in person of the large organisation attacks in
several ways, one after the other; beside it somebody of a small one reads, through PostgREST and through a
function. Before each attack the same is measured in calm: a figure is a ratio of neighbouring moments.
The last line names the targets that were missed; only with --strict is that a failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from bench import verdicts
from bench.attacks import ADMIN, attacks, running
from bench.figures import Target
from bench.snapshots import percentile
from local import command
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tools.accounts import sign_in
from tools.large.activities import Request
from tools.large.seed import DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.progress import Progress

OUTPUT = Path(__file__).parent / "out" / "neighbours.json"
STATE_DIR = ROOT / ".stack-bench-neighbours"
NEIGHBOUR = "hanne@hlf.example"
WAYS = ("rest", "functions")
WARM_UP_SECONDS = 1.0
FAILURE_MS = 60_000
ANSWERS = "answers to the attacker"
TARGETS = {f"neighbour_{way}_p99_ratio": Target(2) for way in WAYS}


class Neighbour:
    """Somebody of another organisation, who reads both ways in turn."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(timeout=60, trust_env=False)
        self._headers = sign_in(stack, NEIGHBOUR)
        with psycopg.connect(stack.db_url) as connection:
            row = connection.execute(
                "select u.id from public.organization_units u "
                "join public.organizations o on o.id = u.organization_id and o.slug = 'hlf' "
                "where u.parent_id is null"
            ).fetchone()
        if row is None:
            raise RuntimeError("the seed has no such organisation")
        self._urls = {
            "rest": f"{stack.rest_url}/chapter_stats?order=chapter_id",
            "functions": f"{stack.functions_url}/hierarchy-stats?unit_id={row[0]}",
        }

    def read(self, seconds: float) -> dict[str, list[float]]:
        """Read for so long. Returns the milliseconds of each answer; one that is no success took a minute."""
        durations: dict[str, list[float]] = defaultdict(list)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for way, url in self._urls.items():
                started = time.perf_counter()
                is_success = self._http.get(url, headers=self._headers).is_success
                took = (time.perf_counter() - started) * 1000
                durations[way].append(took if is_success else FAILURE_MS)
        return durations


@dataclass
class Measured:
    """The durations of calm and attacked moments by attack and way, and what the attackers were answered."""

    calm: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    attacked: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def ratio(self, name: str, way: str) -> float:
        """Give the ratio of the 99th percentiles."""
        return percentile(self.attacked[name, way], 99) / percentile(self.calm[name, way], 99)

    def figures(self) -> dict[str, float]:
        """Give the worst ratio of each way, and what one answer takes in calm."""
        names = list(self.answers)
        worst = {f"neighbour_{way}_p99_ratio": max(self.ratio(name, way) for name in names) for way in WAYS}
        calm = {way: [one for name in names for one in self.calm[name, way]] for way in WAYS}
        return worst | {f"calm_{way}_p99_ms": percentile(durations, 99) for way, durations in calm.items()}

    def table(self) -> Table:
        """Show each attack: how much slower the neighbour's answers are, and what the attacker gets."""
        table = Table(title="A neighbour's p99 under attack: ms, and times that of calm moments")
        for column in ("attack", "rest", "", "functions", "", ANSWERS):
            table.add_column(column, justify="left" if column in {"attack", ANSWERS} else "right")
        for name, answers in self.answers.items():
            cells = []
            for way in WAYS:
                cells += [f"{percentile(self.attacked[name, way], 99):.1f}", f"{self.ratio(name, way):.2f}"]
            said = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
            table.add_row(name, *cells, said)
        return table

    def rows(self) -> list[dict[str, object]]:
        """Give the same for the file."""
        return [
            {"attack": name, "way": way, "ratio": round(self.ratio(name, way), 3), "answers": answers}
            | {f"calm_{key}": value for key, value in _summary(self.calm[name, way]).items()}
            | {f"attacked_{key}": value for key, value in _summary(self.attacked[name, way]).items()}
            for name, answers in self.answers.items()
            for way in WAYS
        ]


def _summary(durations: list[float]) -> dict[str, float]:
    middle, last = statistics.median(durations), percentile(durations, 99)
    return {"count": len(durations), "p50_ms": round(middle, 2), "p99_ms": round(last, 2)}


def measure(stack: Stack, progress: Progress, rounds: int, seconds: float, only: str) -> Measured:
    """Measure so many times, in calm and then under attack, each attack whose name has `only` in it."""
    measured, neighbour = Measured(), Neighbour(stack)
    attacker = sign_in(stack, ADMIN)
    chosen = {name: attack for name, attack in attacks().items() if only in name}
    for number, (name, attack) in product(range(1, rounds + 1), chosen.items()):
        with progress.step(f"round {number} of {rounds}: {name}"):
            neighbour.read(WARM_UP_SECONDS)
            for way, durations in neighbour.read(seconds).items():
                measured.calm[name, way] += durations
            with running(attack, stack.api_url, attacker) as answers:
                neighbour.read(WARM_UP_SECONDS)
                for way, durations in neighbour.read(seconds).items():
                    measured.attacked[name, way] += durations
        measured.answers[name].update(answers)
    return measured


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of all attacks (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of a moment (default %(default)s)")
    parser.add_argument("--only", default="", help="attacks whose name has this in it")
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    rows, rounds, seconds = 100_000, arguments.rounds, arguments.seconds
    if arguments.quick:
        rows, rounds, seconds = 20_000, 1, 1.5
    console, progress = command.tables(), Terminal(Console(stderr=True))
    stack = Stack(STATE_DIR, Ports.free(), progress=progress)
    try:
        stack.start()
        with progress.step(f"{rows:,} activities"):
            seed(stack.db_url, Request(rows, seed=1, until=DEFAULT_UNTIL))
        measured = measure(stack, progress, rounds, seconds, arguments.only)
    finally:
        stack.destroy()
    console.print(measured.table())
    figures = measured.figures()
    table, missed = verdicts.table("Neighbours", figures, TARGETS, unmeasured="not measured")
    console.print(table)
    verdicts.save(OUTPUT, figures, TARGETS, attacks=measured.rows())
    console.print(f"written to {OUTPUT}")
    return verdicts.conclude(console, missed, strict=arguments.strict)


if __name__ == "__main__":
    sys.exit(command.run(main))
