"""What the hierarchy's trigger costs the writer: with and without it in turn, while somebody drains."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, LiteralString

import psycopg

from bench.helpers import Helper
from bench.hierarchy_figures import percentile
from bench.reads import SQL
from local.cluster import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.config import Instance

WRITERS, COMMITS_A_SECOND = 4, 200  # a steady load: at full speed one measures who else wants the processors
TURN_SECONDS, WARMING_SECONDS = 5, 1  # new sessions: their first transactions plan and compile
DRAIN_SECONDS = 0.5  # about as often as the worker's wake-ups come under load
TRIGGER: LiteralString = "activity_changes_request_invalidation"
SCRIPT = """\\set n random(1, 20000)
insert into public.activities (organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, \
occurred_at, duration_minutes, registered_by) \
select organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, \
occurred_at, 60, peer_mentor_id from bench.slots where n = :n;
"""


class Drain(Helper):
    """Does in the database what the function has it do, again and again, until `done`."""

    def __init__(self, db_url: str) -> None:
        super().__init__(db_url)
        self.done = threading.Event()

    def work(self, connection: psycopg.Connection) -> None:
        """Acknowledge, and take what there is."""
        while not self.done.wait(DRAIN_SECONDS):
            connection.execute("select public.acknowledge_wake_ups()")
            connection.execute("select public.take_unit_changes()")


def measure(instance: Instance, turns: int) -> dict[str, float]:
    """Return p99 in ms with and without the trigger, and the median over the turns of their ratio.

    The functions server is not asked meanwhile: it has processors of its own where it is deployed, here it
    would take the writers'.
    """
    db_url = instance.database_url("postgres")
    found: dict[str, list[list[float]]] = {"enable": [], "disable": []}
    with psycopg.connect(db_url, autocommit=True) as connection, _draining(db_url):
        connection.execute((SQL / "slots.sql").read_bytes())
        try:
            for turn in range(turns + 1):
                connection.execute("select stats.refresh(p_force := true)")  # the log never grows longer
                for state in found if turn % 2 else reversed(found):
                    connection.execute(f"alter table stats.activity_changes {state} trigger {TRIGGER}")
                    found[state].append(_pgbench(instance))
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


@contextmanager
def _draining(db_url: str) -> Iterator[None]:
    drain = Drain(db_url)
    drain.start()
    try:
        yield
    finally:
        drain.done.set()
        drain.join()
    if drain.error:
        raise drain.error


def _pgbench(instance: Instance) -> list[float]:
    """Return every transaction's latency in milliseconds. Raises CalledProcessError if one failed."""
    with TemporaryDirectory() as directory:
        script = Path(directory) / "script.sql"
        script.write_text(SCRIPT, encoding="utf-8")
        command = [
            *(str(BIN / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={script}", "--log"),
            *(f"--client={WRITERS}", "--jobs=2", f"--time={TURN_SECONDS}", f"--rate={COMMITS_A_SECOND}"),
            *("--host=127.0.0.1", f"--port={instance.ports.postgres}", "--username=postgres", "postgres"),
        ]
        environment = {**os.environ, "PGPASSWORD": instance.password("postgres")}
        subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True, text=True)
        lines = [
            [int(word) for word in line.split()[:6]]
            for log in Path(directory).glob("pgbench_log.*")
            for line in log.read_text(encoding="ascii").splitlines()
        ]
    # client, number, latency in µs, script, and when it ended: seconds and µs
    begun = min(seconds + micros / 1e6 for *_, seconds, micros in lines)
    return [
        latency / 1000
        for _, _, latency, _, seconds, micros in lines
        if seconds + micros / 1e6 > begun + WARMING_SECONDS
    ]
