"""`python -m local.pg_net`: the worker of the stand-in for pg_net 0.20, where the extension cannot be had.

It takes what was committed to net.http_request_queue, sends it once and side by side, and writes down what
came of it. A batch is taken in one transaction and answered in the next. pg_net uses a single one, and may:
when its worker dies, the server restarts and the unlogged queue is gone. This worker can die alone, and a
rollback would then send the batch again; so that nothing is sent twice, the taking is committed first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Coroutine

VERSION = "0.20.4"  # whose behaviour is kept; in the User-Agent and in pg_stat_activity
BATCH_SIZE = 200
KEPT = "6 hours"
PAUSE_SECONDS = 1.0
SPACING_SECONDS = 0.003
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 5.0
# 'pg_n', 'et' in ASCII: the session that holds it is the worker; Postgres frees it when the session ends.
BECOME_WORKER = "select pg_try_advisory_lock(1885822830, 25972)"
PRUNE = """
    delete from net._http_response where ctid in (
        select ctid from net._http_response where created < now() - %s::interval order by created limit %s)
"""
TAKE = """
    delete from net.http_request_queue
    where id in (select id from net.http_request_queue order by id limit %s)
    returning id, method, url, body, timeout_milliseconds,
        (select coalesce(jsonb_object_agg(key, value), '{}')
         from jsonb_each_text(headers) where value is not null) as headers
"""
STORE = """
    insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
    select id, status_code, content_type, headers, content, timed_out, error_msg
    from jsonb_populate_recordset(null::net._http_response, %s)
"""
# The words of curl, which pg_net writes down.
ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "Couldn't resolve host name"),
    (httpx.ConnectError, "Couldn't connect to server"),
    (httpx.RemoteProtocolError, "Server returned nothing (no headers, no data)"),
    (httpx.ReadError, "Failure when receiving data from the peer"),
)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Request:
    """A row of net.http_request_queue; a time-out of 0 is no limit."""

    id: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_milliseconds: int


@dataclass(frozen=True, slots=True)
class Response:
    """A row of net._http_response: either a status with what came with it, or an `error_msg`."""

    id: int
    status_code: int | None = None
    content_type: str | None = None
    headers: dict[str, str] | None = None
    content: str | None = None
    timed_out: bool = False
    error_msg: str | None = None


def log(event: str, **fields: str | float | None) -> None:
    """Write a JSON line: counts, ids and durations, never URLs, headers or bodies."""
    print(json.dumps({"ts": datetime.now(UTC).isoformat(), "event": event, **fields}), flush=True)


def new_client() -> httpx.AsyncClient:
    """Make a client for one batch: it keeps no connection and no cookie, and uses no proxy."""
    return httpx.AsyncClient(
        headers={"User-Agent": f"pg_net/{VERSION}", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=True,
        timeout=None,  # noqa: S113 - each request has a limit on the whole of it, see `send`
        limits=httpx.Limits(max_connections=None),
        trust_env=False,
    )


async def send(client: httpx.AsyncClient, request: Request) -> Response:
    """Send a request, once. Whatever goes wrong on the way is a response with `error_msg`."""
    started = time.monotonic()
    headers = {name.encode(): value.encode() for name, value in request.headers.items()}
    try:
        async with asyncio.timeout(request.timeout_milliseconds / 1000 or None):
            response = await client.request(
                request.method.upper(), request.url, content=request.body, headers=headers
            )
    except TimeoutError:
        elapsed, limit = (time.monotonic() - started) * 1000, request.timeout_milliseconds
        words = f"Timeout of {limit} ms reached. Total time: {elapsed:f} ms"
        return Response(request.id, timed_out=True, error_msg=words)
    except Exception as error:  # noqa: BLE001 - a request that cannot be sent must not end the worker
        return Response(request.id, error_msg=_words(error))
    return Response(
        request.id,
        status_code=response.status_code,
        content_type=response.headers.get("content-type"),
        headers={_text(name): _text(value) for name, value in response.headers.raw},
        content=_text(response.content) or None,
    )


def _words(error: BaseException) -> str:
    causes, cause = [error], error.__cause__
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    found = (words for kind, words in ERRORS if any(isinstance(cause, kind) for cause in causes))
    return next(found, type(error).__name__)  # the text of an error may quote a header


def _text(octets: bytes) -> str:
    """Up to the first NUL, which Postgres cannot store; pg_net ends there, too."""
    return octets.decode(errors="replace").partition("\0")[0]


async def run(database_url: str) -> None:
    """Connect, serve, and connect again whenever the connection is lost, until cancelled.

    There is never more than one worker to a database. Any database error but a lost connection is raised.
    """
    retry_seconds = FIRST_RETRY_SECONDS
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                database_url, autocommit=True, application_name=f"pg_net {VERSION}", connect_timeout=5
            ) as connection:
                if await _become_worker(connection):
                    retry_seconds = FIRST_RETRY_SECONDS
                    log("worker_started")
                    await _serve(connection)
            log("another_worker_is_up", retry_seconds=retry_seconds)
        except psycopg.OperationalError as error:  # its own text may quote data
            log("connection_lost", error=error.sqlstate or type(error).__name__, retry_seconds=retry_seconds)
        await asyncio.sleep(retry_seconds)
        retry_seconds = min(2 * retry_seconds, LAST_RETRY_SECONDS)


async def _become_worker(connection: Connection) -> bool:
    # A batch may wait for slow receivers longer than a role's limits allow.
    await connection.execute("set statement_timeout = 0")
    await connection.execute("set idle_in_transaction_session_timeout = 0")
    await connection.execute("listen pg_net")
    row = await (await connection.execute(BECOME_WORKER)).fetchone()
    return row is not None and bool(row[0])


async def _serve(connection: Connection) -> None:
    """Work off the queue, at first and whenever woken, with a pause after each batch.

    Only the first wake-up cuts a pause short: so a steady stream is taken in batches, as by pg_net.
    """
    woken = True  # requests may have been committed while there was no worker
    while True:
        woken = woken or await _notified(connection, None)
        await _notified(connection, 0)  # what these announce is in the first batch
        woken = False
        while await _to_its_end(_run_batch(connection)):
            if woken:
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                woken = await _notified(connection, PAUSE_SECONDS)


async def _notified(connection: Connection, seconds: float | None) -> bool:
    """Wait for a wake-up, at most `seconds`; OperationalError if the connection is gone."""
    return bool([None async for _ in connection.notifies(timeout=seconds, stop_after=1)])


async def _to_its_end(work: Coroutine[Any, Any, bool]) -> bool:
    """Let the batch in flight end before a cancellation takes effect."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _run_batch(connection: Connection) -> bool:
    """Prune old responses, then take, send and store a batch; False if there was nothing to do."""
    async with connection.transaction():
        pruned = (await connection.execute(PRUNE, (KEPT, BATCH_SIZE))).rowcount
        cursor = connection.cursor(row_factory=class_row(Request))
        batch = await (await cursor.execute(TAKE, (BATCH_SIZE,))).fetchall()
    if batch:
        await _send_batch(connection, sorted(batch, key=lambda request: request.id))
    return bool(batch) or pruned > 0


async def _send_batch(connection: Connection, batch: list[Request]) -> None:
    """Send with a transaction open, as pg_net does: what waits for old transactions meets it here, too."""
    started = time.monotonic()
    responses: list[Response] = []
    try:
        async with connection.transaction():
            await connection.execute("select pg_current_xact_id()")
            async with new_client() as client:
                sending = []
                for request in batch:  # what was queued first is the first to arrive
                    sending.append(asyncio.ensure_future(send(client, request)))
                    await asyncio.sleep(SPACING_SECONDS)
                responses = await asyncio.gather(*sending)
            await connection.execute(STORE, (Jsonb([asdict(response) for response in responses]),))
    except psycopg.Error:
        # Not kept for later: after a crash their ids would be given to other requests.
        log("responses_lost", sent=len(responses), not_sent=len(batch) - len(responses))
        raise
    failed = [response for response in responses if response.error_msg is not None]
    for response in failed:
        log("request_failed", request_id=response.id, error=response.error_msg)
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    log("batch_sent", requests=len(responses), failed=len(failed), duration_ms=milliseconds)


async def main() -> None:
    """Run until SIGTERM or SIGINT, which let the batch in flight end."""
    worker = asyncio.ensure_future(run(os.environ["FERSK_PG_NET_DB_URL"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, worker.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await worker
    log("worker_stopped")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
