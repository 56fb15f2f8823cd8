"""pgbench, which writes as fast as it is told to and logs every transaction."""

from __future__ import annotations

import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local import postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

# One statement, one transaction: rows like some of bench.slots or bench.hot_slots, from :n on. A minute each,
# so that no day of a person becomes too long.
INSERT = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
                                   occurred_at, activity_date, duration_minutes, registered_by)
    select organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
           occurred_at, activity_date, 1, peer_mentor_id
    from bench.{slots} where n between :n and :n + {more};
"""


@dataclass(frozen=True)
class Load:
    """How many writers insert how many rows a statement, for how long.

    slots, slot_count : whose activities are written: the table in schema bench, and how many rows it has.
    rate              : transactions a second of all writers; None for as many as they can.
    """

    writers: int
    seconds: int
    slots: str = "slots"
    slot_count: int = 20_000
    rows: int = 1
    rate: int | None = None

    @property
    def script(self) -> str:
        """The pgbench script."""
        statement = INSERT.format(slots=self.slots, more=self.rows - 1)
        return f"\\set n random(1, {self.slot_count - self.rows + 1})\n{' '.join(statement.split())}\n"


@dataclass(frozen=True)
class Transaction:
    """One transaction: its latency in milliseconds, commit included, and when it ended, in Unix seconds."""

    milliseconds: float
    ended: float


def run(load: Load, *, port: int, password: str, database: str) -> list[Transaction]:
    """Return every transaction. Raises CalledProcessError if one failed."""
    with TemporaryDirectory() as directory:
        script = Path(directory) / "script.sql"
        script.write_text(load.script, encoding="utf-8")
        command = [
            *(
                postgres.program("pgbench"),
                "--no-vacuum",
                "--protocol=prepared",
                f"--file={script}",
                "--log",
            ),
            *(f"--client={load.writers}", f"--jobs={min(2, load.writers)}", f"--time={load.seconds}"),
            *([f"--rate={load.rate}"] if load.rate else []),
            *("--host=127.0.0.1", f"--port={port}", "--username=postgres", database),
        ]
        environment = {**os.environ, "PGPASSWORD": password}
        subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True, text=True)
        return [
            _transaction(line)
            for log in Path(directory).glob("pgbench_log.*")
            for line in log.read_text(encoding="ascii").splitlines()
        ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def _transaction(line: str) -> Transaction:
    # client, number, latency in µs, script, and when it ended: seconds and µs
    _, _, latency, _, seconds, micros = (int(word) for word in line.split()[:6])
    return Transaction(latency / 1000, seconds + micros / 1e6)
