"""`make steady MINUTES=2`: five hundred rows a second through the API, and readers beside them.

Five people register fifty activities in each of two requests a second; four others read all the while,
through functions and through PostgREST. Nobody may be refused, what is there at the end is exactly what was
acknowledged, no statistic differs from plain sums, and of a hundred answers of functions 99 come within a
second. The last line sums up; the exit status is 1 unless all of that holds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import statistics
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
from rich.console import Console

from local import command
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tests.resilience.chaos.writers import COLUMNS, code_of
from tests.resilience.comparison import differences
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Send = Callable[[httpx.Client], httpx.Response]

STATE_DIR = ROOT / ".stack-steady"
WRITERS, ROWS_AT_ONCE, WRITES_A_SECOND = 5, 50, 2
ROWS_A_SECOND = WRITERS * ROWS_AT_ONCE * WRITES_A_SECOND
MINUTES_EACH = 20  # fifty of them fit into a day
READERS = ("kari@nhf.example", "astrid@nhf.example", "hanne@hlf.example", "einar@blindeforbundet.example")
READS_A_SECOND = 4  # of each; a status once in six turns: nobody may ask for more than one a second
FUNCTIONS, REST, WRITES = "functions", "PostgREST", "writes"
P99_MS = 1000.0
AT_PACE = 0.9
FIRST_DAY = dt.date(2005, 1, 1)
WHO_MAY = """
    select distinct on (u.email) u.email, a.organization_id::text, a.unit_id::text, a.peer_mentor_id::text,
           a.activity_type_id::text
    from public.activities a
    join auth.users u on u.id = a.peer_mentor_id
    join public.chapter_assignments c on c.profile_id = u.id and c.unit_id = a.unit_id
    where a.registered_by = a.peer_mentor_id
    order by u.email, a.id limit %s
"""
UNIT_OF = """
    select n.id::text
    from auth.users u
    join public.profiles p on p.id = u.id
    left join public.chapter_assignments c on c.profile_id = p.id
    join public.organization_units n
        on n.id = c.unit_id
        or c.unit_id is null and n.organization_id = p.organization_id and n.parent_id is null
    where u.email = %s
    order by c.is_primary desc limit 1
"""
BEFORE = "select count(*), clock_timestamp() from public.activities"
WAKE_UPS = """
    select coalesce(d.status_code::text, d.error, 'no answer'), count(*) from private.deliveries d
    where d.sent_at > %s and d.answered_at is not null group by 1
"""


@dataclass
class Report:
    """What was seen: the milliseconds of each answer, and what was no success."""

    seconds: float
    rows: int = 0
    there: int = 0
    durations: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def p99(self, what: str) -> float:
        """Give the 99th percentile, by linear interpolation."""
        return statistics.quantiles(self.durations[what], n=100, method="inclusive")[98]

    @property
    def is_right(self) -> bool:
        """Whether nobody was refused, and all is there once and counted."""
        return not (self.errors or self.differences) and self.rows == self.there

    @property
    def holds(self) -> bool:
        """Whether it was all that, at that pace, and the functions answered in time."""
        in_time = self.p99(FUNCTIONS) < P99_MS
        return self.is_right and in_time and self.rows >= AT_PACE * ROWS_A_SECOND * self.seconds

    def __str__(self) -> str:
        took = ", ".join(
            f"{what} {len(each):,} p99 {self.p99(what):.0f} ms"
            for what, each in sorted(self.durations.items())
        )
        return (
            f"steady: {self.rows:,} rows in {self.seconds:.0f} s ({self.rows / self.seconds:.0f} a second), "
            f"{took}, {self.errors.total()} errors, {self.rows - self.there} lost, "
            f"{len(self.differences)} differences: {'holds' if self.holds else 'DOES NOT HOLD'}"
        )


class Person(threading.Thread):
    """Somebody who sends a request so many times a second, one after the other."""

    def __init__(
        self,
        end: float,
        a_second: float,
        requests: Callable[[], tuple[str, int, Send]],
        durations: dict[str, list[float]],
    ) -> None:
        super().__init__(daemon=True)
        self._end, self._pause, self._requests, self._durations = end, 1 / a_second, requests, durations
        self.rows, self.errors = 0, Counter[str]()

    def run(self) -> None:
        """Send until the end; what is late is made up for."""
        due = time.monotonic()
        with httpx.Client(timeout=30, trust_env=False) as http:
            while (now := time.monotonic()) < self._end:
                time.sleep(max(0.0, due - now))
                due += self._pause
                what, rows, send = self._requests()
                began = time.perf_counter()
                try:
                    answer = send(http)
                except httpx.HTTPError as error:
                    self.errors[f"{what} {type(error).__name__}"] += 1
                    continue
                self._durations[what].append((time.perf_counter() - began) * 1000)
                if answer.is_success:
                    self.rows += rows
                else:
                    self.errors[f"{answer.request.url.path} {answer.status_code} {code_of(answer)}"] += 1


def writer(stack: Stack, email: str, own: Sequence[str]) -> Callable[[], tuple[str, int, Send]]:
    """Register fifty activities at a time, each time on a day of its own."""
    headers = sign_in(stack, email).headers
    template = dict(zip(COLUMNS, own, strict=True))
    days = (FIRST_DAY + dt.timedelta(days=number) for number in itertools.count())

    def next_() -> tuple[str, int, Send]:
        row = {**template, "occurred_at": f"{next(days)}T12:00:00Z", "duration_minutes": MINUTES_EACH}
        rows = [{**row, "id": str(uuid.uuid4())} for _ in range(ROWS_AT_ONCE)]
        return WRITES, ROWS_AT_ONCE, partial(_post, url=f"{stack.rest_url}/activities", rows=rows, by=headers)

    return next_


def _post(http: httpx.Client, url: str, rows: list[dict[str, Any]], by: dict[str, str]) -> httpx.Response:
    return http.post(url, json=rows, headers=by)


def reader(stack: Stack, email: str) -> Callable[[], tuple[str, int, Send]]:
    """Read what a dashboard shows, one after the other."""
    headers = sign_in(stack, email).headers
    with psycopg.connect(stack.db_url) as owner:
        (unit,) = owner.execute(UNIT_OF, [email]).fetchone() or ()
    functions, rest = stack.functions_url, stack.rest_url
    targets = itertools.cycle(
        [
            (FUNCTIONS, f"{functions}/hierarchy-stats?unit_id={unit}&year=2005"),
            (REST, f"{rest}/chapter_stats?order=chapter_id"),
            (FUNCTIONS, f"{functions}/metric-snapshots?year=2025"),
            (REST, f"{rest}/coordinator_monthly_stats?activity_month=gte.2005-01-01&limit=100"),
            (FUNCTIONS, f"{functions}/snapshot-status?year=2025"),
            (REST, f"{rest}/activity_time_series?bucket_date=gte.2025-01-01&limit=100"),
        ]
    )

    def next_() -> tuple[str, int, Send]:
        what, url = next(targets)
        return what, 0, lambda http: http.get(url, headers=headers)

    return next_


def run(stack: Stack, seconds: float) -> Report:
    """Let all of them write and read for so long, then count."""
    report = Report(seconds, durations={FUNCTIONS: [], REST: [], WRITES: []})
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        before, since = owner.execute(BEFORE).fetchone() or ()
        people = owner.execute(WHO_MAY, [WRITERS]).fetchall()
        assert len(people) == WRITERS
        writing = [writer(stack, email, own) for email, *own in people]
        reading = [reader(stack, email) for email in READERS]
        end = time.monotonic() + seconds
        everybody = [Person(end, WRITES_A_SECOND, each, report.durations) for each in writing]
        everybody += [Person(end, READS_A_SECOND, each, report.durations) for each in reading]
        for person in everybody:
            person.start()
        for person in everybody:
            person.join()
            report.rows += person.rows
            report.errors += person.errors
        (now,) = owner.execute("select count(*) from public.activities").fetchone() or ()
        report.there = now - before
        report.differences = [" ".join(each) for each in differences(owner)]
        for said, number in owner.execute(WAKE_UPS, [since]):
            if said != "200":
                report.errors[f"wake-ups {said}"] += number
    return report


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.resilience.chaos.steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2, help="how long (default %(default)s)")
    arguments = parser.parse_args(words)
    console = Console(soft_wrap=True)
    stack = Stack(STATE_DIR, Ports.free(), progress=Terminal(Console(stderr=True)))
    try:
        stack.start()
        report = run(stack, 60 * arguments.minutes)
    finally:
        stack.destroy()
    for wrong in (*report.errors.items(), *report.differences[:10]):
        console.print(wrong, highlight=False)
    console.print(str(report), highlight=False)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(command.run(main))
