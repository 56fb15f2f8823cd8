"""Whether reads stay fast: right after a burst, and while an old transaction keeps dead rows alive.

Autovacuum is on meanwhile, as in operation.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg

from bench import pgbench, reads
from bench.helpers import Drain
from tools.large.seed import DEFAULT_UNTIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.laboratory import Laboratory

# What the dashboards ask.
ASKED = ("chapter_12_months", "coordinator_12_months", "org_12_months", "chapters_table")
ROUNDS = 7
FOLDED_AT_ONCE, BATCHES, QUICK_BATCHES = 10_000, 10, 1
OLD_SECONDS, QUICK_OLD_SECONDS = 60, 3
WRITERS, COMMITS_A_SECOND = 4, 200


@dataclass(frozen=True)
class Endurance:
    """Median latency in milliseconds of each question at rest and afterwards.

    name : of the figure.
    """

    name: str
    at_rest: dict[str, float]
    afterwards: dict[str, float]

    @property
    def ratio(self) -> float:
        """What all the questions of a dashboard take afterwards by what they take at rest."""
        return sum(self.afterwards.values()) / sum(self.at_rest.values())


def measure(lab: Laboratory, name: str, *, quick: bool) -> Iterator[Endurance]:
    """Measure both on the database `name`, which has bench.slots and the plain views."""
    with _autovacuum(lab), psycopg.connect(lab.url(name), autocommit=True) as connection:
        at_rest = _rest(connection)
        for _ in range(QUICK_BATCHES if quick else BATCHES):
            reads.add_changes(connection, FOLDED_AT_ONCE)
            connection.execute("select stats.fold()")
        yield Endurance("live_after_burst_ratio", at_rest, _read(connection))
        at_rest = _rest(connection)
        with psycopg.connect(lab.url(name)) as old:
            old.execute("set transaction isolation level repeatable read")
            old.execute("select count(*) from stats.activity_changes")
            _write(lab, name, QUICK_OLD_SECONDS if quick else OLD_SECONDS)
            yield Endurance("live_with_old_reader_ratio", at_rest, _read(connection))


def _rest(connection: psycopg.Connection) -> dict[str, float]:
    connection.execute("select stats.fold()")
    connection.execute("vacuum (analyze)")
    return _read(connection)


def _read(connection: psycopg.Connection) -> dict[str, float]:
    live = [
        replace(question, statements={reads.LIVE: question.statements[reads.LIVE]})
        for question in reads.questions(DEFAULT_UNTIL)
        if question.name in ASKED
    ]
    return {question.name: reads.ask(connection, question, ROUNDS)[reads.LIVE] for question in live}


def _write(lab: Laboratory, name: str, seconds: int) -> None:
    load = pgbench.Load(WRITERS, seconds, rate=COMMITS_A_SECOND)
    with Drain(lab.url(name)).running():
        pgbench.run(load, port=lab.port, password=lab.password, database=name)


@contextmanager
def _autovacuum(lab: Laboratory) -> Iterator[None]:
    with psycopg.connect(lab.url("template1", admin=True), autocommit=True) as connection:
        try:
            connection.execute("alter system set autovacuum = on")
            connection.execute("select pg_reload_conf()")
            yield
        finally:
            connection.execute("alter system set autovacuum = off")
            connection.execute("select pg_reload_conf()")
