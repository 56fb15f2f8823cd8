"""The worker: takes what was committed to the queue, sends it, writes the answers down.

A batch is taken in one transaction and answered in the next. pg_net uses a single one, and may: when its
worker dies, the server restarts and the unlogged queue is gone. This worker can die alone, and a rollback
would then send the batch again; so that nothing is ever sent twice, the taking is committed first. As with
pg_net, a transaction stays open while requests are on their way (what waits for old transactions meets it
here, too), and the answers of a batch become visible together.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from local.pg_net import VERSION
from local.pg_net.logs import log
from local.pg_net.sender import Request
from local.pg_net.stop import wait_readable

if TYPE_CHECKING:
    from local.pg_net.config import Config
    from local.pg_net.sender import Answer, Sender
    from local.pg_net.stop import Stop

Connection = psycopg.Connection[tuple[Any, ...]]

POLL_SECONDS = 1.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 5.0

_PRUNE = """
    delete from net._http_response where ctid in (
        select ctid from net._http_response where created < now() - %s::interval order by created limit %s)
"""
_TAKE = """
    delete from net.http_request_queue
    where id in (select id from net.http_request_queue order by id limit %s)
    returning id, method, url, body, timeout_milliseconds,
        (select coalesce(jsonb_object_agg(key, value), '{}')
         from jsonb_each_text(headers) where value is not null) as headers
"""
_ANSWER = """
    insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
    select id, status_code, content_type, headers, content, timed_out, error_msg
    from jsonb_populate_recordset(null::net._http_response, %s)
"""


class Worker:
    """Serves one database until stopped; there is never more than one per database.

    Survives restarts and crashes of the server; any other database error is raised from `run`.
    """

    def __init__(self, config: Config, sender: Sender, stop: Stop) -> None:
        self._config = config
        self._sender = sender
        self._stop = stop

    def run(self) -> None:
        """Connect, serve, and connect again whenever the connection is lost, until stopped."""
        retry_seconds = FIRST_RETRY_SECONDS
        while not self._stop.is_set():
            try:
                with _connect(self._config.database_url) as connection:
                    if _become_worker(connection):
                        retry_seconds = FIRST_RETRY_SECONDS
                        log("worker_started", batch_size=self._config.batch_size, ttl=self._config.ttl)
                        self._serve(connection)
                        continue
                log("another_worker_is_up", level="WARNING", retry_seconds=retry_seconds)
            except psycopg.OperationalError as error:
                log("connection_lost", level="WARNING", error=_name(error), retry_seconds=retry_seconds)
            self._stop.wait(retry_seconds)
            retry_seconds = min(2 * retry_seconds, LAST_RETRY_SECONDS)

    def _serve(self, connection: Connection) -> None:
        """Work off the queue, at first and whenever woken, until stopped."""
        woken = True  # requests may have been committed while there was no worker
        while not self._stop.is_set():
            if woken:
                woken = self._drain(connection)
            else:
                self._sender.drop_connections()
                woken = self._wait(connection, None)

    def _drain(self, connection: Connection) -> bool:
        """Work off the queue and pause `POLL_SECONDS` after each batch; True if a wake-up came meanwhile.

        Only the first wake-up cuts a pause short: so a steady stream is taken in batches, as by pg_net.
        """
        _notified(connection)  # what these announce is in the first batch
        woken, working = False, True
        while working and not self._stop.is_set():
            working = self._run_batch(connection)
            if woken:
                self._stop.wait(POLL_SECONDS)
            else:
                woken = self._wait(connection, POLL_SECONDS)
        return woken

    def _wait(self, connection: Connection, seconds: float | None) -> bool:
        """Wait for a wake-up, at most `seconds`, and not beyond a stop; True if a wake-up came."""
        if _notified(connection):
            return True
        readable = wait_readable((connection, self._stop), seconds)
        return connection in readable and _notified(connection)

    def _run_batch(self, connection: Connection) -> bool:
        """Prune old answers, then take, send and answer a batch; False if there was nothing to do."""
        size = self._config.batch_size
        with connection.transaction():
            pruned = connection.execute(_PRUNE, (self._config.ttl, size)).rowcount
            batch = connection.cursor(row_factory=class_row(Request)).execute(_TAKE, (size,)).fetchall()
        if batch:
            batch.sort(key=lambda request: request.id)
            self._send(connection, batch)
        return bool(batch) or pruned > 0

    def _send(self, connection: Connection, batch: list[Request]) -> None:
        started = time.monotonic()
        answers: list[Answer] = []
        try:
            with connection.transaction():
                connection.execute("select pg_current_xact_id()")
                answers = self._sender.send_all(batch)
                connection.execute(_ANSWER, (Jsonb([asdict(answer) for answer in answers]),))
        except psycopg.Error:
            # Not kept for later: after a crash their ids would be given to other requests.
            log("answers_lost", level="ERROR", sent=len(answers), not_sent=len(batch) - len(answers))
            raise
        for answer in answers:
            if answer.error_msg is not None:
                log("request_failed", level="WARNING", request_id=answer.id, error=answer.error_msg)
        log(
            "batch_sent",
            requests=len(answers),
            failed=sum(answer.error_msg is not None for answer in answers),
            duration_ms=round((time.monotonic() - started) * 1000, 1),
        )


def _connect(database_url: str) -> Connection:
    return psycopg.connect(
        database_url, autocommit=True, application_name=f"pg_net {VERSION}", connect_timeout=5
    )


def _become_worker(connection: Connection) -> bool:
    # A batch may wait for slow receivers longer than a role's limits allow.
    connection.execute("set statement_timeout = 0")
    connection.execute("set idle_in_transaction_session_timeout = 0")
    connection.execute("listen pg_net")
    row = connection.execute("select net._become_worker()").fetchone()
    return row is not None and bool(row[0])


def _notified(connection: Connection) -> bool:
    """Read all notifications that have arrived; raises `OperationalError` if the connection is gone."""
    return bool(list(connection.notifies(timeout=0)))


def _name(error: psycopg.Error) -> str:
    """SQLSTATE and kind; the message itself may quote data."""
    return f"{error.sqlstate or '-----'} {type(error).__name__}"
