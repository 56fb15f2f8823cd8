"""How long reads take: plain view and live, with more and more changes that no fold has taken."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tools.large.population import Population

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL = Path(__file__).parent / "sql"
PENDING = (0, 1_000, 50_000)
SLOTS, BATCH = 20_000, 1_000  # rows of bench.slots, and of one statement
PLAIN, LIVE = "plain", "live"


@dataclass(frozen=True)
class Question:
    """One thing that a dashboard asks, in one statement for each way to answer it.

    caller : id of the profile that asks through the filtered relations; None for the owner of the raw ones.
    """

    name: str
    caller: str | None
    statements: dict[str, str]


@dataclass(frozen=True)
class Reading:
    """Median latency in milliseconds of each way to answer, `rounds` times in turn."""

    rows: int
    pending: int
    question: str
    milliseconds: dict[str, float]


def questions(until: dt.date) -> list[Question]:
    """List what is asked of the large organisation: the twelve months up to and including `until`."""
    people = Population()
    admin, coordinator = people.people[0].id, people.coordinators[0].id
    since = (until + dt.timedelta(days=1)).replace(year=until.year - 1)
    end = until + dt.timedelta(days=1)
    span = f"bucket_date between '{since}' and '{until}'"
    mine = f"organization_id = '{people.organization_id}'"
    days = f"select * from {{}} where {span} order by chapter_id, bucket_date"
    one_chapter = (
        f"select * from {{}} where {span} and chapter_id = '{people.chapters[0]}' order by bucket_date"
    )
    chapters = "select * from {} order by chapter_id"
    by_month = {
        PLAIN: f"select * from plain.activity_months where {span} order by 1",
        LIVE: f"select x.* from jsonb_to_recordset(public.get_activity_series('{since}', '{end}', 'month'))"
        " as x (bucket_date date, activity_count bigint, total_hours numeric)",
    }
    return [
        Question("chapter_12_months", coordinator, _ways(one_chapter, "activity_time_series")),
        Question("coordinator_12_months", coordinator, _ways(days, "activity_time_series")),
        Question("org_12_months", admin, by_month),
        Question(
            "org_12_months_unfiltered",
            None,
            {
                # by day first: the fastest way, because the month is then computed for 365 rows only
                PLAIN: "select date_trunc('month', bucket_date::timestamp)::date, sum(n), sum(minutes)"
                " from (select bucket_date, count(*) as n, sum(duration_minutes) as minutes"
                f" from stats.countable_activities where {mine} and {span} group by 1) d"
                " group by 1 order by 1",
                LIVE: "select activity_month, sum(activity_count), sum(total_minutes)"
                f" from stats.live_monthly_rows where {mine}"
                f" and activity_month between '{since}' and '{until}' group by 1 order by 1",
            },
        ),
        Question("org_12_months_by_chapter_and_day", admin, _ways(days, "activity_time_series")),
        Question("chapters_table", admin, _ways(chapters, "chapter_stats")),
    ]


def _ways(statement: str, relation: str) -> dict[str, str]:
    return {PLAIN: statement.format(f"plain.{relation}"), LIVE: statement.format(f"public.{relation}")}


def measure(db_url: str, rows: int, until: dt.date, rounds: int) -> Iterator[Reading]:
    """Measure every question at every number of pending changes; one reading at a time, as it is done.

    Raises AssertionError if a live answer differs from the plain one: then its speed means nothing.
    """
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute((SQL / "plain.sql").read_bytes())
        for pending in PENDING:
            make_pending(connection, pending)
            for question in questions(until):
                yield Reading(rows, pending, question.name, ask(connection, question, rounds))


def make_pending(connection: psycopg.Connection, changes: int) -> None:
    """Fold, then register about as many activities of the last year: each is one change."""
    connection.execute("select stats.fold()")
    connection.execute("vacuum stats.activity_changes")
    add_changes(connection, changes)


def add_changes(connection: psycopg.Connection, changes: int) -> None:
    """Register about as many activities of the last year, a thousand a statement."""
    for n in range(changes // BATCH):
        connection.execute(
            """
            insert into public.activities (organization_id, unit_id, peer_mentor_id, coordinator_id,
                                           activity_type_id, occurred_at, duration_minutes, registered_by)
            select organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
                   occurred_at - interval '1 day' * %s, 1, peer_mentor_id
            from bench.slots where n between %s and %s
            """,
            (n // (SLOTS // BATCH), n * BATCH % SLOTS + 1, n * BATCH % SLOTS + BATCH),
        )


def ask(connection: psycopg.Connection, question: Question, rounds: int) -> dict[str, float]:
    """Return the median latency in milliseconds of each way to answer.

    Raises AssertionError if the live answer is not the plain one, or both are empty.
    """
    timings: dict[str, list[float]] = {way: [] for way in question.statements}
    answers: dict[str, list[str]] = {}
    with _as(connection, question.caller):
        for _ in range(rounds):
            for way, statement in question.statements.items():
                started = time.perf_counter()
                rows = connection.execute(statement).fetchall()
                timings[way].append((time.perf_counter() - started) * 1000)
                answers[way] = [" ".join(str(value) for value in row) for row in rows]
    if any(answer != answers[LIVE] for answer in answers.values()) or not answers[LIVE]:
        raise AssertionError(f"{question.name}: the live answer is not the plain one, or both are empty")
    return {way: statistics.median(values) for way, values in timings.items()}


@contextmanager
def _as(connection: psycopg.Connection, caller: str | None) -> Iterator[None]:
    """Be a signed-in user for a while, as the API makes it: role and verified claims."""
    if caller is None:
        yield
        return
    claims = {"sub": caller, "role": "authenticated", "app_metadata": {"org_id": Population.organization_id}}
    connection.execute("select set_config('request.jwt.claims', %s, false)", (json.dumps(claims),))
    connection.execute("set role authenticated")
    yield
    connection.execute("reset role")
