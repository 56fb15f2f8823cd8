"""Secrets are rotated while calls come in, and none is refused."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from local import processes, services
from local.config import Ports
from local.errors import StackError
from local.network import HOST, answers
from tools.rotate import PROBE, UNDER_WAY, rotate, run_deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

    Connection = psycopg.Connection[tuple[Any, ...]]

A_SECOND = 50
AT_PACE = 0.6  # on a machine that does other things, too
OTHER = "sb_secret_" + "of_before_0123456789"
OUTCOMES = """
    select coalesce(d.status_code::text, d.error, 'no answer'), count(*)
    from private.deliveries d where d.sent_at > %s group by 1
"""


class Deployment:
    """All functions, in one process after the other: the next is up before the database knows of it."""

    def __init__(self, stack: Stack, connection: Connection) -> None:
        self._stack, self._connection = stack, connection
        self.names: list[str] = []

    def deploy(self, secret: str) -> None:
        port = Ports.free().functions
        program = services.functions(self._stack.instance)
        started = replace(
            program,
            name=f"functions-{port}",
            command=[
                part.replace(str(self._stack.instance.ports.functions), str(port)) for part in program.command
            ],
            environment={**program.environment, "FERSK_WEBHOOK_SECRET": secret},
            ready=lambda: answers(f"http://{HOST}:{port}/ready"),
            ports=[port],
        )
        processes.start(self._stack.instance, started)
        address = f"http://{HOST}:{port}/functions/v1"
        self._connection.execute("select private.set_secret('fersk_functions_url', %s)", [address])
        before, self.names = self.names, [started.name]
        if before:
            self._until_answered()
        for name in before:
            processes.stop(self._stack.instance, name)

    def _until_answered(self) -> None:
        now = self._connection.execute("select clock_timestamp()").fetchone()
        older = "select from private.deliveries where answered_at is null and sent_at <= %s"
        while self._connection.execute(older, now).fetchone() is not None:
            self._connection.execute("select private.collect_answers(), pg_sleep(0.1)")


@contextmanager
def wake_ups(stack: Stack) -> Iterator[None]:
    """Send fifty a second until the block ends."""
    stopping = threading.Event()

    def send() -> None:
        with psycopg.connect(stack.db_url, autocommit=True) as connection:
            due = time.monotonic()
            while not stopping.wait(max(0.0, due - time.monotonic())):
                due = max(due + 1 / A_SECOND, time.monotonic())  # what a stall delayed is not sent in a burst
                connection.execute(PROBE)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@pytest.fixture
def connection(stack: Stack) -> Iterator[Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection
        connection.execute("select private.set_secret('fersk_functions_url', %s)", [stack.functions_url])
        connection.execute("select private.set_secret('fersk_webhook_secret', %s)", [stack.webhook_secret])
        connection.execute("select private.end_webhook_rotation()")


@pytest.fixture
def deployment(stack: Stack, connection: Connection) -> Iterator[Deployment]:
    deployment = Deployment(stack, connection)
    try:
        yield deployment
    finally:
        for name in deployment.names:
            processes.stop(stack.instance, name)


def test_three_rotations_at_fifty_wake_ups_a_second_refuse_none(
    stack: Stack, connection: Connection, deployment: Deployment
) -> None:
    deployment.deploy(stack.webhook_secret)
    since = connection.execute("select clock_timestamp()").fetchone()
    secrets = {stack.webhook_secret}
    began = time.monotonic()
    with wake_ups(stack):
        for _ in range(3):
            rotate(connection, deployment.deploy, lambda _: None)
            row = connection.execute("select private.secret('fersk_webhook_secret')").fetchone()
            assert row is not None
            secrets.add(row[0])
    seconds = time.monotonic() - began
    deployment._until_answered()
    outcomes: dict[str, int] = dict(connection.execute(OUTCOMES, since).fetchall())
    # a busy machine may have no place for one (503): it is turned away, its signature is not refused
    assert outcomes.keys() <= {"200", "503"}, outcomes
    assert sum(outcomes.values()) > AT_PACE * A_SECOND * seconds
    assert outcomes["200"] > 3 * A_SECOND
    assert len(secrets) == 4


def test_without_the_second_signature_they_would_be_refused(
    stack: Stack, connection: Connection, deployment: Deployment
) -> None:
    """A control: the old secret is forgotten before the functions have the new one."""
    deployment.deploy(stack.webhook_secret)
    since = connection.execute("select clock_timestamp()").fetchone()
    connection.execute("select private.begin_webhook_rotation()")
    connection.execute("select private.end_webhook_rotation()")
    connection.execute(PROBE)
    deployment._until_answered()
    assert dict(connection.execute(OUTCOMES, since).fetchall()) == {"401": 1}


def test_a_deployment_that_fails_leaves_both_in_force_and_is_gone_on_with(
    stack: Stack, connection: Connection, deployment: Deployment
) -> None:
    deployment.deploy(stack.webhook_secret)
    with pytest.raises(StackError, match=r"^false ended with status 1$"):
        rotate(connection, run_deploy("false"), lambda _: None)
    assert connection.execute(UNDER_WAY).fetchone() == (True,)
    since = connection.execute("select clock_timestamp()").fetchone()
    connection.execute(PROBE)
    deployment._until_answered()
    assert dict(connection.execute(OUTCOMES, since).fetchall()) == {"200": 1}
    told: list[str] = []
    rotate(connection, deployment.deploy, told.append)
    assert told[0] == "a rotation is under way: going on with it"
    assert connection.execute(UNDER_WAY).fetchone() == (False,)


def test_the_command_hands_the_secret_to_the_deployment() -> None:
    run_deploy('test "$FERSK_WEBHOOK_SECRET" = whsec_new')("whsec_new")
    with pytest.raises(StackError, match="ended with status 1"):
        run_deploy('test "$FERSK_WEBHOOK_SECRET" = whsec_old')("whsec_new")


def test_while_the_secret_key_is_rotated_both_are_accepted(stack: Stack) -> None:
    port = Ports.free().functions
    program = services.functions(stack.instance)
    started = replace(
        program,
        name="functions-keys",
        command=[part.replace(str(stack.instance.ports.functions), str(port)) for part in program.command],
        environment={**program.environment, "FERSK_PREVIOUS_SECRET_KEY": OTHER},
        ready=lambda: answers(f"http://{HOST}:{port}/ready"),
        ports=[port],
    )
    processes.start(stack.instance, started)
    try:

        def status(key: str) -> int:
            url = f"http://{HOST}:{port}/functions/v1/refresh-stats-views"
            return httpx.post(url, json={}, headers={"apikey": key}, timeout=20, trust_env=False).status_code

        assert [status(key) for key in (stack.secret_key, OTHER, OTHER + "x")] == [200, 200, 401]
    finally:
        processes.stop(stack.instance, "functions-keys")
