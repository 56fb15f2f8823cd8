"""Stops, kills, restarts and crashes, of the worker and of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from tests.stack.pg_net.receiver import PATIENCE_SECONDS
from tests.stack.pg_net.support import WorkerProcess, collect, pass_of_worker, post, value
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack
    from tests.stack.pg_net.receiver import Receiver
    from tests.stack.pg_net.support import Connection


def test_sigterm_lets_the_batch_in_flight_end_and_what_was_queued_is_sent_by_the_next(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        in_flight = post(connection, receiver.url("/hold"), 15_000)
        receiver.wait_for("/hold")
        worker.terminate()
        assert worker.process.poll() is None
        queued = post(connection, receiver.url("/queued"))
        receiver.released.set()
        assert worker.process.wait(PATIENCE_SECONDS) == 0
    assert worker.log()[-1]["event"] == "worker_stopped"
    assert collect(connection, in_flight)[0] == 200
    assert receiver.paths() == ["/hold"]
    with WorkerProcess(admin_url, log_file):
        assert collect(connection, queued)[0] == 200


def test_a_killed_worker_sends_nothing_twice(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        post(connection, receiver.url("/hold"), 15_000)
        receiver.wait_for("/hold")
        worker.process.kill()
        worker.process.wait()
    receiver.released.set()
    with WorkerProcess(admin_url, log_file):
        pass_of_worker(connection, receiver)
    assert receiver.paths() == ["/hold"]


def test_a_second_worker_waits_for_the_first_to_end(
    admin_url: str, connection: Connection, receiver: Receiver, tmp_path: Path
) -> None:
    with (
        WorkerProcess(admin_url, tmp_path / "first.log") as first,
        WorkerProcess(admin_url, tmp_path / "second.log") as second,
    ):
        eventually(lambda: any(w.log() for w in (first, second)))
        up, waiting = (first, second) if "worker_started" in str(first.log()) else (second, first)
        waiting.wait_for_event("another_worker_is_up")
        pass_of_worker(connection, receiver)
        up.terminate()
        assert up.process.wait(PATIENCE_SECONDS) == 0
        waiting.wait_for_event("worker_started")
        pass_of_worker(connection, receiver)


def test_responses_are_kept_for_six_hours(
    admin_url: str, admin: Connection, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    admin.execute(
        "insert into net._http_response (id, created)"
        " values (-1, now() - interval '361 minutes'), (-2, now() - interval '359 minutes')"
    )
    with WorkerProcess(admin_url, log_file):
        pass_of_worker(connection, receiver)
    kept = connection.execute("select id from net._http_response where id < 0").fetchall()
    assert kept == [(-2,)]


def test_the_log_tells_neither_urls_nor_headers_nor_bodies(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        for path in ("/status/500", "/hang-up"):
            request_id = value(
                connection,
                """select net.http_post(%s, '{"x": "confidential"}', headers := '{"X": "confidential"}')""",
                receiver.url(f"{path}?q=confidential"),
            )
            collect(connection, request_id)
        worker.wait_for_event("batch_sent", 2)
    assert "confidential" not in log_file.read_text()
    assert worker.wait_for_event("request_failed")["request_id"] == request_id


def test_a_clean_restart_of_the_server_loses_nothing(
    stack: Stack, admin_url: str, url: str, receiver: Receiver, log_file: Path
) -> None:
    with psycopg.connect(url, autocommit=True) as before:
        before.execute("select net.http_post(%s || n) from generate_series(1, 50) n", [receiver.url("/n/")])
    stack.restart_postgres()
    with WorkerProcess(admin_url, log_file) as worker:
        with psycopg.connect(url, autocommit=True) as after:
            pass_of_worker(after, receiver)
        assert len(receiver.paths()) == 50
        stack.restart_postgres()
        worker.wait_for_event("connection_lost")
        worker.wait_for_event("worker_started", 2)
        with psycopg.connect(url, autocommit=True) as again:
            pass_of_worker(again, receiver)
        assert len(receiver.paths()) == 50


def test_a_crash_of_the_server_empties_queue_and_responses(
    stack: Stack, admin_url: str, url: str, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        with psycopg.connect(url, autocommit=True) as before:
            pass_of_worker(before, receiver)
            in_flight = post(before, receiver.url("/hold"), 15_000)
            receiver.wait_for("/hold")
            post(before, receiver.url("/lost"))
        stack.stop_postgres(immediate=True)
        receiver.released.set()
        assert worker.wait_for_event("responses_lost")["sent"] == 1
        stack.start_postgres()
        worker.wait_for_event("worker_started", 2)
        with psycopg.connect(url, autocommit=True) as after:
            request_id = post(after, receiver.url("/after"))
            assert request_id == 1 < in_flight
            assert collect(after, request_id)[0] == 200
            assert value(after, "select array_agg(id) from net._http_response") == [1]
    assert receiver.paths() == ["/hold", "/after"]


def test_the_worker_of_the_stack_delivers(stack: Stack, receiver: Receiver) -> None:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        pass_of_worker(connection, receiver)
