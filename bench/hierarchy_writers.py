"""What the hierarchy's trigger costs the writer: with and without it in turn, while somebody drains."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, LiteralString

import psycopg

from bench import pgbench
from bench.helpers import Drain
from bench.pgbench import percentile
from bench.reads import SQL

if TYPE_CHECKING:
    from local.config import Instance

WRITERS, COMMITS_A_SECOND = 4, 200  # a steady load: at full speed one measures who else wants the processors
TURN_SECONDS, WARMING_SECONDS = 4, 1  # new sessions: their first transactions plan and compile
TURNS_A_ROUND = 3  # in one of a few turns, what else the machine does can be most of the slow hundredth
TRIGGER: LiteralString = "activity_changes_request_upkeep"


def measure(instance: Instance, rounds: int) -> dict[str, float]:
    """Return p99 in ms with and without the trigger, and the median over the turns of their ratio.

    The functions server is not asked meanwhile: it has processors of its own where it is deployed, here it
    would take the writers'.
    """
    db_url = instance.database_url("postgres")
    found: dict[str, list[list[float]]] = {"enable": [], "disable": []}
    with psycopg.connect(db_url, autocommit=True) as connection, Drain(db_url).running():
        connection.execute((SQL / "slots.sql").read_bytes())
        try:
            for turn in range(rounds * TURNS_A_ROUND + 1):
                for state in found if turn % 2 else reversed(found):
                    connection.execute(f"alter table stats.activity_changes {state} trigger {TRIGGER}")
                    found[state].append(_write(instance))
        finally:
            connection.execute(f"alter table stats.activity_changes enable trigger {TRIGGER}")
    with_triggers, without = (turns_of[1:] for turns_of in found.values())  # the first turn warms up
    return {
        "writer_p99_ms_with_triggers": percentile([ms for turn in with_triggers for ms in turn], 0.99),
        "writer_p99_ms_without": percentile([ms for turn in without for ms in turn], 0.99),
        "writer_p50_ratio": _ratio(with_triggers, without, 0.5),
        "writer_p99_ratio": _ratio(with_triggers, without, 0.99),
    }


def _ratio(with_triggers: list[list[float]], without: list[list[float]], share: float) -> float:
    return statistics.median(
        percentile(mine, share) / percentile(theirs, share)
        for mine, theirs in zip(with_triggers, without, strict=True)
    )


def _write(instance: Instance) -> list[float]:
    """Return the latencies in milliseconds of one turn, without those of its beginning."""
    load = pgbench.Load(WRITERS, TURN_SECONDS, rate=COMMITS_A_SECOND)
    done = pgbench.run(
        load, port=instance.ports.postgres, password=instance.password("postgres"), database="postgres"
    )
    begun = min(transaction.ended for transaction in done)
    return [t.milliseconds for t in done if t.ended > begun + WARMING_SECONDS]
