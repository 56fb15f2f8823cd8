"""Stops, kills, restarts and crashes, of the worker and of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.pg_net.support import WorkerProcess, collect, get, pass_of_worker, until, value

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack
    from tests.integration.pg_net.receiver import Receiver
    from tests.integration.pg_net.support import Connection


def test_up_means_a_connected_worker(admin_url: str, connection: Connection, log_file: Path) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=r"^the pg_net background worker is not up"):
        connection.execute("select net.check_worker_is_up()")
    with WorkerProcess(admin_url, log_file):
        connection.execute("set statement_timeout = '20s'")
        connection.execute("select net.wait_until_running()")
        connection.execute("select net.check_worker_is_up()")


def test_what_was_queued_without_a_worker_is_sent_when_it_starts(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    request_id = get(connection, receiver.url("/queued"))
    with WorkerProcess(admin_url, log_file):
        assert collect(connection, request_id)[0] == 200
    assert receiver.paths() == ["/queued"]


def test_sigterm_lets_the_batch_in_flight_end(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        request_id = get(connection, receiver.url("/hold"), timeout_milliseconds=15_000)
        receiver.wait_for("/hold")
        worker.terminate()
        assert worker.is_running()
        receiver.released.set()
        assert worker.wait() == 0
    assert collect(connection, request_id)[0] == 200
    assert worker.log()[-1]["event"] == "worker_stopped"


def test_a_killed_worker_sends_nothing_twice(
    admin_url: str, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        get(connection, receiver.url("/hold"), timeout_milliseconds=15_000)
        receiver.wait_for("/hold")
        worker.kill()
        worker.wait()
    receiver.released.set()
    with WorkerProcess(admin_url, log_file):
        pass_of_worker(connection, receiver)
    assert receiver.paths().count("/hold") == 1


def test_a_second_worker_waits_for_the_first_to_end(
    admin_url: str, connection: Connection, receiver: Receiver, tmp_path: Path
) -> None:
    with (
        WorkerProcess(admin_url, tmp_path / "first.log") as first,
        WorkerProcess(admin_url, tmp_path / "second.log") as second,
    ):
        until(lambda: any(w.log() for w in (first, second)), "one of them started")
        up, waiting = (first, second) if "worker_started" in str(first.log()) else (second, first)
        waiting.wait_for_event("another_worker_is_up")
        pass_of_worker(connection, receiver)
        up.terminate()
        assert up.wait() == 0
        waiting.wait_for_event("worker_started")
        pass_of_worker(connection, receiver)


def test_batch_size_and_ttl_are_configuration(
    admin_url: str, admin: Connection, connection: Connection, receiver: Receiver, log_file: Path
) -> None:
    rows = connection.execute(
        "select net.http_get(%s) from generate_series(1, 5)", [receiver.url("/small")]
    ).fetchall()
    ids = [row[0] for row in rows]
    admin.execute(
        "insert into net._http_response (id, created)"
        " values (-1, now() - interval '61 minutes'), (-2, now() - interval '59 minutes')"
    )
    with WorkerProcess(admin_url, log_file, FERSK_PG_NET_BATCH_SIZE="2", FERSK_PG_NET_TTL="1 hour"):
        collect(connection, max(ids))
    batches = "select count(distinct created) from net._http_response where id = any(%s)"
    assert value(connection, batches, ids) == 3
    kept = connection.execute("select id from net._http_response where id < 0").fetchall()
    assert kept == [(-2,)]


def test_wrong_configuration_ends_the_worker(admin_url: str, log_file: Path) -> None:
    with WorkerProcess(admin_url, log_file, FERSK_PG_NET_BATCH_SIZE="none") as worker:
        assert worker.wait() == 2
    assert worker.log()[0]["error"] == "FERSK_PG_NET_BATCH_SIZE must be a whole number from 1, not 'none'"


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
        before.execute("select net.http_get(%s || n) from generate_series(1, 50) n", [receiver.url("/n/")])
    stack.restart_postgres()
    with WorkerProcess(admin_url, log_file) as worker, psycopg.connect(url, autocommit=True) as after:
        pass_of_worker(after, receiver)
        assert sum(path.startswith("/n/") for path in receiver.paths()) == 50
        after.close()
        stack.restart_postgres()
        worker.wait_for_event("connection_lost")
        worker.wait_for_event("worker_started", 2)
        with psycopg.connect(url, autocommit=True) as again:
            pass_of_worker(again, receiver)
        assert sum(path.startswith("/n/") for path in receiver.paths()) == 50


def test_a_crash_of_the_server_empties_queue_and_answers(
    stack: Stack, admin_url: str, url: str, receiver: Receiver, log_file: Path
) -> None:
    with WorkerProcess(admin_url, log_file) as worker:
        with psycopg.connect(url, autocommit=True) as before:
            pass_of_worker(before, receiver)
            in_flight = get(before, receiver.url("/hold"), timeout_milliseconds=15_000)
            receiver.wait_for("/hold")
            get(before, receiver.url("/lost"))
        stack.stop_postgres(immediate=True)
        receiver.released.set()
        assert worker.wait_for_event("answers_lost")["sent"] == 1
        stack.start_postgres()
        worker.wait_for_event("worker_started", 2)
        with psycopg.connect(url, autocommit=True) as after:
            request_id = get(after, receiver.url("/after"))
            assert request_id == 1 < in_flight
            assert collect(after, request_id)[0] == 200
            assert value(after, "select array_agg(id) from net._http_response") == [1]
    assert [path for path in receiver.paths() if not path.startswith("/fence/")] == ["/hold", "/after"]


def test_the_worker_of_the_stack_delivers(stack: Stack, receiver: Receiver) -> None:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        pass_of_worker(connection, receiver)
