"""The worker as a process of its own, what is queued for it, and waiting for what it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any, Self

import psycopg

from local.database import PG_NET
from local.requirements import ROOT
from tests.stack.pg_net.receiver import PATIENCE_SECONDS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.pg_net.receiver import Receiver

INSTALL_SQL = PG_NET.read_bytes()
BATCHES = "select count(distinct created) from net._http_response where id = any(%s)"

Connection = psycopg.Connection[tuple[Any, ...]]


def value(connection: Connection, query: str, *parameters: object) -> Any:
    """The one value that `query` gives."""
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def post(connection: Connection, url: str, limit_ms: int = 5000) -> int:
    """Queue a POST; its id."""
    return int(value(connection, "select net.http_post(%s, timeout_milliseconds := %s)", url, limit_ms))


def collect(connection: Connection, request_id: int) -> tuple[Any, ...]:
    """Wait for the response: (status_code, content_type, headers, content, timed_out, error_msg)."""
    query = (
        b"select status_code, content_type, headers, content, timed_out, error_msg"
        b" from net._http_response where id = %s"
    )
    return eventually(lambda: connection.execute(query, [request_id]).fetchone())


def pass_of_worker(connection: Connection, receiver: Receiver) -> None:
    """Wait until the worker is past all that was committed before: a request of ours came and went."""
    path = f"/fence/{uuid.uuid4().hex}"
    collect(connection, post(connection, receiver.url(path)))
    receiver.wait_for(path)


class WorkerProcess:
    """`python -m local.pg_net` on one database; leaving the context ends it as `make stop` does."""

    def __init__(self, database_url: str, log_file: Path) -> None:
        self._log_file = log_file
        self._environment = {**os.environ, "FERSK_PG_NET_DB_URL": database_url}

    def __enter__(self) -> Self:
        with self._log_file.open("wb") as log:
            command = [sys.executable, "-m", "local.pg_net"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.terminate()
            self.process.wait(PATIENCE_SECONDS)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log_file.read_text().splitlines()]

    def wait_for_event(self, event: str, count: int = 1) -> dict[str, Any]:
        """The last of `count` log lines of this event, once they are there."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.log() if line["event"] == event]

        eventually(lambda: len(found()) >= count)
        return found()[-1]
