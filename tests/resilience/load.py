"""Many sessions at once, each a thread of its own, until enough comparisons are made or one of them fails."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.resilience.own_cluster import Connection, OwnCluster

PATIENCE_SECONDS = 300.0
# What a session has to expect from others and answers by trying again.
RETRIED = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
# PostgreSQL's own, when a transaction that updated the same row is rolled back this very moment: it is marked
# as aborted, and still listed as running. Seen once in many runs; the transaction fails as a whole.
RACE = "new multixact has more than one updating member"
BUSY = "rate_limited"  # an organisation computes one summary at a time: others are asked to come again


class Session(Protocol):
    """One kind of work, repeated."""

    admin: bool

    def step(self, connection: Connection) -> str:
        """Do one piece of work and say what was done, to be counted."""


class Load:
    """Runs sessions against a cluster; `done` counts what they did, `retried` included."""

    def __init__(self, own: OwnCluster) -> None:
        self._own = own
        self._changed = threading.Condition()
        self._stopping = False
        self._crashing = False
        self._failure: BaseException | None = None
        self.done: Counter[str] = Counter()

    @contextmanager
    def running(self, sessions: Sequence[Session]) -> Iterator[None]:
        """Run each session in a thread until the block ends; raises what any of them raised."""
        self._stopping = self._crashing = False
        threads = [threading.Thread(target=self._run, args=[session]) for session in sessions]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping = True
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
        if self._failure:
            raise self._failure

    def wait_for(self, what: str, count: int) -> None:
        """Wait until something was done `count` times in all, or a session has failed."""
        self.wait_until(f"{count} {what}", lambda: self.done[what] >= count)

    def wait_until(self, what: str, is_so: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
        """Wait until something is so, which is asked after each piece of work, or a session has failed."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._failure is not None or is_so(), patience), (
                f"not in {patience:.0f} s: {what}: {self.done}"
            )

    def crash(self) -> None:
        """Kill the server under the running sessions, which end with it."""
        self._crashing = True
        self._own.crash()

    def _run(self, session: Session) -> None:
        try:
            with self._own.connect(admin=session.admin) as connection:
                while not self._stopping:
                    self._count(self._step(session, connection))
        except BaseException as error:  # noqa: BLE001  it is raised again in the test's own thread
            if not (self._crashing and _is_disconnection(error)):
                with self._changed:
                    self._failure = self._failure or error
                    self._changed.notify_all()

    def _step(self, session: Session, connection: Connection) -> str:
        try:
            return session.step(connection)
        except (*RETRIED, psycopg.errors.InternalError_, psycopg.ProgrammingError) as error:
            if not isinstance(error, RETRIED) and RACE not in str(error) and BUSY not in str(error):
                raise
            connection.execute("rollback")
            connection.execute("reset role")
            return "retried"

    def _count(self, what: str) -> None:
        with self._changed:
            self.done[what] += 1
            self._changed.notify_all()


def _is_disconnection(error: BaseException) -> bool:
    """Class 57 is the server going down; without a code the connection just broke."""
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57")[:2] == "57"
