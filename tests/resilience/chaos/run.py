"""`make chaos MINUTES=… SEED=…`: people write all the while, and everything goes wrong that can.

After each fault it waits, without a hand, until all is well again: writes are acknowledged, a wake-up arrives
that was sent after the fault, and the log is short. All the while a comparison of all statistics with plain
sums of the activities is made, each in one snapshot. At the end all that was acknowledged is there, and an
audit finds nothing. The last line sums up; the exit status is 1 unless all of that holds.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console

from local import command
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tests.resilience.chaos.faults import Scene, catalogue
from tests.resilience.chaos.writers import PEOPLE, Writer, total
from tests.resilience.comparison import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATE_DIR = ROOT / ".stack-chaos"
CONVERGED_SECONDS = 30.0
GIVEN_UP_SECONDS = 120.0
POLL_SECONDS = 0.2
HELD_SECONDS = (0.5, 4.0)
IS_WELL = """
    select exists (
        select from private.deliveries d left join private.new_answers() n on n.id = d.id
        where d.sent_at > %(since)s and coalesce(d.status_code, n.status_code) between 200 and 299)
    and not exists (select from stats.unit_changes u
                    where u.changed_at < clock_timestamp() - interval '5 seconds')
"""
LEFT = "select (select count(*) from stats.unit_changes) + (select count(*) from stats.activity_changes)"
AUDITED = "select count(*) from stats.differences where found_at > %s"


@dataclass
class Report:
    """What happened, and what was seen."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    converged: dict[str, float] = field(default_factory=dict)
    comparisons: int = 0
    differences: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unanswered: int = 0
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        return max(self.converged.values(), default=0.0)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost or wrong, and all was well again in time by itself."""
        return not (self.lost or self.differences) and self.slowest < CONVERGED_SECONDS

    def __str__(self) -> str:
        return (
            f"chaos: seed {self.seed}, {self.faults.total()} faults of {len(self.faults)} kinds, "
            f"{self.acknowledged:,} writes acknowledged, {len(self.lost)} lost, "
            f"{len(self.differences)} differences in {self.comparisons} comparisons, "
            f"well again within {self.slowest:.1f} s: {'holds' if self.holds else 'DOES NOT HOLD'}"
        )


class Comparer:
    """Compares again and again, as long as there is a database to ask."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._url, self._report = stack.db_url, report
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    while not self._stopping.wait(POLL_SECONDS):
                        self._compare(connection)
            except psycopg.OperationalError:  # no database: nothing is said, so nothing is wrong
                continue

    def _compare(self, connection: psycopg.Connection[Any]) -> None:
        found = differences(connection)
        self._report.comparisons += 1
        self._report.differences += [" ".join(each) for each in found[:5]]


def until_well(scene: Scene, writers: list[Writer], report: Report, fault: str) -> None:
    """Wait until all is well, and note how long that took; what ended is started again by itself."""
    began = time.monotonic()
    since: object = None
    acknowledged = [writer.written.acknowledged for writer in writers]
    while time.monotonic() < began + GIVEN_UP_SECONDS:
        try:
            scene.restart_what_ended()
            with scene.owner() as connection:
                since = since or _value(connection, "select clock_timestamp()")
                is_well = _value(connection, IS_WELL, {"since": since})
            wrote = all(
                writer.written.acknowledged > before
                for writer, before in zip(writers, acknowledged, strict=True)
            )
            if is_well and wrote:
                break
        except psycopg.OperationalError:
            pass
        time.sleep(POLL_SECONDS)
    took = time.monotonic() - began
    report.converged[fault] = max(took, report.converged.get(fault, 0.0))


def inject(scene: Scene, writers: list[Writer], report: Report, fault: str) -> None:
    """Let one fault last for a while, then wait until all is well."""
    report.faults[fault] += 1
    with catalogue(scene.stack)[fault](scene):
        time.sleep(scene.chance.uniform(*HELD_SECONDS))
    until_well(scene, writers, report, fault)


def run(
    stack: Stack, seed: int, goes_on: Callable[[Report], bool], tell: Callable[[str], None] = lambda _: None
) -> Report:
    """Inject faults in random order, every kind once before any comes again, as long as `goes_on` says."""
    report, chance = Report(seed), random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    scene = Scene(stack, chance)
    with scene.owner() as connection:
        began = _value(connection, "select clock_timestamp()")
    writers = [Writer(stack, person, seed + number) for number, person in enumerate(PEOPLE)]
    comparer = Comparer(stack, report)
    everybody: list[Writer | Comparer] = [*writers, comparer]
    for each in everybody:
        each.start()
    try:
        left: list[str] = []
        while goes_on(report):
            left = left or chance.sample(sorted(catalogue(stack)), k=len(catalogue(stack)))
            fault = left.pop()
            inject(scene, writers, report, fault)
            tell(f"{fault}: well again after {report.converged[fault]:.1f} s at most")
    finally:
        for each in everybody:
            each.stop()
    conclude(scene, writers, report, began)
    return report


def conclude(scene: Scene, writers: list[Writer], report: Report, began: object) -> None:
    """When nobody writes any more: what was lost, and what differs, once all is folded by itself."""
    with scene.owner() as connection:
        deadline = time.monotonic() + GIVEN_UP_SECONDS
        while _value(connection, LEFT) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if _value(connection, LEFT):
            report.differences.append("the log is not empty")
        report.differences += [" ".join(each) for each in differences(connection)[:5]]
        report.comparisons += 1
        report.differences += [
            str(row) for row in connection.execute("select * from stats.audit()").fetchmany(5)
        ]
        if _value(connection, AUDITED, [began]):
            report.differences.append("an audit found a difference")
        for written in total(writers):
            report.acknowledged += written.acknowledged
            report.unanswered += written.unanswered
            report.refused += written.refused
            report.failures += written.failures
            report.lost += written.lost(connection)


def _value(connection: psycopg.Connection[Any], query: str, parameters: Any = None) -> Any:
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.resilience.chaos.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="to repeat a run"
    )
    arguments = parser.parse_args(words)
    console = Console(soft_wrap=True)
    stack = Stack(STATE_DIR, Ports.free(), progress=Terminal(Console(stderr=True)))
    end = 0.0
    try:
        stack.start()
        end = time.monotonic() + 60 * arguments.minutes
        report = run(stack, arguments.seed, lambda _: time.monotonic() < end, console.print)
    finally:
        stack.destroy()
    console.print(f"faults: {dict(sorted(report.faults.items()))}", highlight=False)
    console.print(f"without an answer: {report.unanswered:,}; refused: {report.refused:,}")
    console.print(f"answers that were no success: {dict(sorted(report.failures.items()))}", highlight=False)
    for wrong in (*report.lost[:10], *report.differences[:10]):
        console.print(wrong, highlight=False)
    console.print(str(report), highlight=False)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(command.run(main))
