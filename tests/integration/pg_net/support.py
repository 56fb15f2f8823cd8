"""The worker as a process of its own, and waiting for what it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

from tests.integration.pg_net.receiver import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.pg_net.receiver import Receiver

ROOT = Path(__file__).parents[3]
INSTALL_SQL = (ROOT / "local" / "pg_net" / "install.sql").read_text()

Connection = psycopg.Connection[tuple[Any, ...]]


def until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds; fail, naming `what`, if it does not within a fair time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain until {what}")
        time.sleep(0.02)


def value(connection: Connection, query: str, *parameters: object) -> Any:
    """The one value that `query` gives."""
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def get(connection: Connection, url: str, timeout_milliseconds: int = 5000) -> int:
    """Queue a GET; its id."""
    request_id: int = value(
        connection, "select net.http_get(%s, timeout_milliseconds := %s)", url, timeout_milliseconds
    )
    return request_id


def collect(connection: Connection, request_id: int) -> tuple[Any, ...]:
    """Wait for the answer: (status_code, content_type, headers, content, timed_out, error_msg)."""
    connection.execute("set statement_timeout = '20s'")
    connection.execute("select net._http_collect_response(%s, false)", [request_id])
    row = connection.execute(
        "select status_code, content_type, headers, content, timed_out, error_msg "
        "from net._http_response where id = %s",
        [request_id],
    ).fetchone()
    assert row is not None
    return row


def pass_of_worker(connection: Connection, receiver: Receiver) -> None:
    """Wait until the worker is past all that was committed before: a request of ours came and went."""
    path = f"/fence/{uuid.uuid4().hex}"
    collect(connection, get(connection, receiver.url(path)))
    receiver.wait_for(path)


class WorkerProcess:
    """`python -m local.pg_net` on one database; leaving the context ends it as `make stop` does."""

    def __init__(self, database_url: str, log_file: Path, **environment: str) -> None:
        self._log_file = log_file
        self._environment = {**os.environ, "FERSK_PG_NET_DB_URL": database_url, **environment}

    def __enter__(self) -> Self:
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.pg_net"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.terminate()
            self.wait()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._process.kill()

    def wait(self) -> int:
        """The exit status."""
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def is_running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log_file.read_text().splitlines()]

    def wait_for_event(self, event: str, count: int = 1) -> dict[str, Any]:
        """The last of `count` log lines of this event, once they are there."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.log() if line["event"] == event]

        until(lambda: len(found()) >= count, f"the worker logged {event} {count} times")
        return found()[-1]
