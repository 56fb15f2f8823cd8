"""`make seed-large`: an organisation of 1,400 chapters with any number of activities, beside the seeded cast.

The same arguments always give the same rows. A second run with the same arguments changes nothing; with
others it replaces the activities. It is one transaction: nobody ever sees half of it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from local import command
from local.stack import Stack
from tools.large import people
from tools.large.activities import COLUMNS, Request, lines
from tools.large.population import SLUG, Population, type_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Report = Callable[[str, int, int], None]

DEFAULT_ROWS = 100_000
DEFAULT_UNTIL = dt.date(2026, 10, 31)  # not today: the same arguments give the same rows tomorrow
ROWS_PER_COPY = 10_000  # the server keeps each row's foreign key checks until the end of its statement
LOGS = tuple(f"activities_log_{event}" for event in ("inserts", "updates", "deletes"))
# About one home visit in ten has an expense; which one, and what became of it, follows from its id.
EXPENSES = """
    insert into public.expense_claims
        (id, organization_id, activity_id, amount_nok, status, decided_at, decided_by)
    select md5('expense/' || a.id)::uuid, a.organization_id, a.id, 50 + d.digits %% 90000 / 100.0, s.status,
           case when s.status <> 'pending' then a.recorded_at + interval '3 days' end,
           case when s.status <> 'pending' then a.coordinator_id end
    from public.activities a
    cross join lateral (select ('x' || substr(a.id::text, 1, 7))::bit(28)::integer) d (digits)
    cross join lateral (
        select (array['approved', 'approved', 'pending', 'rejected'])[1 + d.digits / 10 %% 4]
               ::public.expense_status
    ) s (status)
    where a.organization_id = %s and a.activity_type_id = %s and a.is_counted and d.digits %% 10 = 0
"""


def seed(db_url: str, request: Request, report: Report = lambda _step, _done, _of: None) -> bool:
    """Write the large data set. Returns False if exactly this one is there already.

    db_url : of role `postgres`, which owns the tables.
    report : told the name of each step, how many rows of it are done, and of how many.
    Raises psycopg.Error if it cannot be written; then nothing is changed.
    """
    population = Population()
    with psycopg.connect(db_url) as connection:
        # one load at a time
        connection.execute("select pg_advisory_xact_lock(hashtext('fersk'), hashtext('seed-large'))")
        if _is_there(connection, request, population):
            return False
        report("organisation, units, people", 0, 1)
        people.write(connection, population)
        with _without_log(connection):
            _replace_activities(connection, request, population, report)
            report("snapshots", 0, 1)
    report("vacuum and planner statistics", 0, 1)
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
    return True


def _is_there(connection: psycopg.Connection, request: Request, population: Population) -> bool:
    """Whether the organisation's activities are those of this request: their number, first and last id."""
    query = """
        select count(*) = %s and count(*) filter (where id = any(%s::uuid[])) = %s
        from public.activities where organization_id = %s
    """
    ends = {request.activity_id(0), request.activity_id(request.rows - 1)}
    row = connection.execute(
        query, (request.rows, list(ends), len(ends), population.organization_id)
    ).fetchone()
    return row is not None and row[0] is True


def _replace_activities(
    connection: psycopg.Connection,
    request: Request,
    population: Population,
    report: Report,
) -> None:
    """Delete the organisation's activities and write those of the request, with their expenses."""
    organization = (population.organization_id,)
    report("removing the former activities", 0, 1)
    connection.execute("delete from public.expense_claims where organization_id = %s", organization)
    connection.execute("delete from public.activities where organization_id = %s", organization)
    copy_rows = f"copy public.activities ({', '.join(COLUMNS)}) from stdin"
    stream = lines(request, population)
    for first in range(0, request.rows, ROWS_PER_COPY):
        report("activities", first, request.rows)
        with connection.cursor() as cursor, cursor.copy(copy_rows) as copy:
            for line in islice(stream, ROWS_PER_COPY):
                copy.write(line)
    report("expenses", 0, 1)
    connection.execute(EXPENSES, (population.organization_id, type_id("home_visit")))


@contextmanager
def _without_log(connection: psycopg.Connection) -> Iterator[None]:
    """Write no change log, but do in the same transaction what it would lead to: a third less time.

    The snapshots are computed anew, and every cached summary counts as outdated. Nobody can write in
    between, and nobody sees the transaction before all of it is done.
    """
    connection.execute("lock table public.activities in share row exclusive mode")
    for trigger in LOGS:
        connection.execute(f"alter table public.activities disable trigger {trigger}")
    yield
    for trigger in LOGS:
        connection.execute(f"alter table public.activities enable trigger {trigger}")
    connection.execute("select stats.rebuild()")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.large.seed", description=__doc__)
    parser.add_argument(
        "--rows", type=_positive, default=DEFAULT_ROWS, help="activities (default %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="another seed, other activities (default %(default)s)"
    )
    parser.add_argument(
        "--until",
        type=dt.date.fromisoformat,
        default=DEFAULT_UNTIL,
        metavar="YYYY-MM-DD",
        help="last day of the two years (default %(default)s)",
    )
    parser.add_argument(
        "--db-url", help="of role postgres (default: the local stack's, never one of the environment)"
    )
    return parser.parse_args(words)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    arguments = _arguments(sys.argv[1:] if words is None else words)
    return command.run(lambda: _seed(arguments))


def _seed(arguments: argparse.Namespace) -> int:
    db_url = arguments.db_url or Stack.running().db_url
    request = Request(arguments.rows, arguments.seed, arguments.until)
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting")
        try:
            written = seed(
                db_url,
                request,
                lambda step, done, of: progress.update(task, description=step, completed=done, total=of),
            )
        except psycopg.Error as error:
            progress.stop()
            console.print(f"[red]✗[/red] nothing was written: {error}", highlight=False)
            return 1
    if written:
        print(
            f"{request.rows:,} activities in {SLUG}."
            f" Sign in as admin@{SLUG}.example, coordinator-1@… or mentor-1@…"
        )
    else:
        print(f"exactly these {request.rows:,} activities are there already; nothing changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
