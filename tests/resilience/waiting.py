"""Two sessions in an order that the test decides: let one wait for the other, and know that it does."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

PATIENCE_SECONDS = 20.0


def blocking_pids(observer: Connection, waiting: Connection) -> list[int]:
    """The server processes that keep a session waiting right now."""
    row = observer.execute("select pg_blocking_pids(%s)", [waiting.info.backend_pid]).fetchone()
    assert row is not None
    return list(row[0])


def wait_until_blocked(observer: Connection, session: Connection, *, by: Connection) -> None:
    """Wait until one session waits for the other."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while by.info.backend_pid not in blocking_pids(observer, session):
        assert time.monotonic() < deadline, "it did not come to wait"
        time.sleep(0.01)


@contextmanager
def blocked(
    statement: LiteralString, *, session: Connection, by: Connection, observer: Connection
) -> Iterator[Future[object]]:
    """Run a statement that must wait for the session `by`, which the block then lets go on.

    Gives the statement's future; its outcome is for the caller to look at, when the block has ended the wait.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        future: Future[object] = pool.submit(session.execute, statement)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while by.info.backend_pid not in blocking_pids(observer, session):
            assert not future.done(), f"did not wait: {statement}: {future.exception() or 'it is done'}"
            assert time.monotonic() < deadline, f"did not come to wait: {statement}"
            time.sleep(0.01)
        try:
            yield future
        except BaseException:
            session.cancel_safe()
            raise
