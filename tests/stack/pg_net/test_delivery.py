"""What the worker sends, when, how often, and what it writes down."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.stack.pg_net.receiver import Receiver
from tests.stack.pg_net.support import BATCHES, collect, pass_of_worker, post, value
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.stack.pg_net.support import Connection

pytestmark = pytest.mark.usefixtures("worker")


def test_a_post_arrives_with_its_body_and_headers(connection: Connection, receiver: Receiver) -> None:
    request_id = value(
        connection,
        "select net.http_post(%s, body := %s, headers := %s)",
        receiver.url("/hook?a=1&q=a%20b%2F"),
        '{"name": "Bodø", "n": 1.50}',
        '{"webhook-id": "msg_1", "X-Number": 1.50, "X-None": null, "X-Town": "Bodø"}',
    )
    answer, received = collect(connection, request_id), receiver.wait_for("/hook?a=1&q=a%20b%2F")
    assert received.method == "POST"
    assert json.loads(received.body) == {"name": "Bodø", "n": 1.5}
    headers = received.headers
    assert (headers["Content-Type"], headers["User-Agent"]) == ("application/json", "pg_net/0.20.4")
    assert (headers["webhook-id"], headers["X-Number"]) == ("msg_1", "1.50")
    assert headers["X-Town"].encode("latin-1").decode() == "Bodø"
    assert "X-None" not in headers
    assert answer[:2] == (200, "application/json")
    assert answer[2]["X-Town"] == "Bodø"
    assert answer[3:] == ('{"ok": true}', False, None)


def test_nothing_is_sent_before_the_commit_nor_after_a_rollback(
    url: str, connection: Connection, receiver: Receiver
) -> None:
    with psycopg.connect(url) as writer:
        post(writer, receiver.url("/rolled-back"))
        writer.rollback()
        with writer.transaction():
            request_id = post(writer, receiver.url("/kept"))
            with writer.transaction(force_rollback=True):
                post(writer, receiver.url("/savepoint"))
            pass_of_worker(connection, receiver)
            assert receiver.paths() == []
    assert collect(connection, request_id)[0] == 200
    pass_of_worker(connection, receiver)
    assert receiver.paths() == ["/kept"]


def test_any_status_is_an_answer_and_is_sent_once(
    url: str, connection: Connection, receiver: Receiver
) -> None:
    statuses = [204, 400, 401, 404, 429, 500, 502, 503, 504]
    with psycopg.connect(url) as writer:
        ids = [post(writer, receiver.url(f"/status/{status}")) for status in statuses]
    answers = [collect(connection, request_id) for request_id in ids]
    pass_of_worker(connection, receiver)
    assert [(answer[0], answer[4], answer[5]) for answer in answers] == [(s, False, None) for s in statuses]
    assert Counter(receiver.paths()) == Counter(f"/status/{status}" for status in statuses)


@pytest.mark.parametrize(
    ("path", "limit_ms"), [("/hold", 300), ("/drip-headers", 300), ("/drip-body", 300), ("/stall", 1800)]
)
def test_the_timeout_limits_the_whole_request(
    path: str, limit_ms: int, connection: Connection, receiver: Receiver
) -> None:
    answer = collect(connection, post(connection, receiver.url(path), limit_ms))
    assert not receiver.released.is_set()
    assert answer[:5] == (None, None, None, None, True)
    assert (match := re.fullmatch(rf"Timeout of {limit_ms} ms reached\. Total time: ([0-9.]+) ms", answer[5]))
    assert limit_ms <= float(match[1]) < limit_ms + 1000  # a limit per wait would give /stall 1500 more


def test_a_request_to_a_server_that_is_down_is_lost(connection: Connection, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    answer = collect(connection, post(connection, f"http://127.0.0.1:{port}/lost"))
    assert answer == (None, None, None, None, False, "Couldn't connect to server")
    assert value(connection, "select count(*) from net.http_request_queue") == 0
    with Receiver(port) as late:
        pass_of_worker(connection, receiver)
        collect(connection, post(connection, late.url("/found")))
        assert late.paths() == ["/found"]


def test_odd_answers_and_addresses_are_written_down_and_the_worker_goes_on(
    connection: Connection, receiver: Receiver
) -> None:
    for url, content, error in (
        (receiver.url("/hang-up"), None, "Server returned nothing (no headers, no data)"),
        (receiver.url("/binary"), "caf\N{REPLACEMENT CHARACTER}", None),
        (receiver.url("/nul"), "before", None),
        ("http://nowhere.invalid/", None, "Couldn't resolve host name"),
        ("http://127.0.0.1:99999/confidential", None, "ExceptionGroup"),  # by its kind only
    ):
        answer = collect(connection, post(connection, url))
        assert (answer[3], answer[5]) == (content, error)
        assert collect(connection, post(connection, receiver.url("/next")))[0] == 200


def test_redirects_are_followed_and_cookies_are_not_kept(
    url: str, connection: Connection, receiver: Receiver
) -> None:
    with psycopg.connect(url) as writer:
        ids = [post(writer, receiver.url(path)) for path in ("/cookie", "/redirect")]
    assert [collect(connection, request_id)[0] for request_id in ids] == [200, 200]
    assert set(receiver.paths()) == {"/cookie", "/redirect", "/landed"}
    assert "Cookie" not in receiver.wait_for("/landed").headers


def test_a_batch_is_on_its_way_together_and_a_transaction_with_it(
    url: str, admin: Connection, connection: Connection, receiver: Receiver
) -> None:
    def open_transactions() -> int:
        return int(
            value(
                admin,
                "select count(*) from pg_stat_activity where application_name = 'pg_net 0.20.4'"
                " and datname = current_database() and backend_xid is not null",
            )
        )

    with psycopg.connect(url) as writer:
        ids = [post(writer, receiver.url("/together/10")) for _ in range(10)]
        ids.append(post(writer, receiver.url("/hold"), 15_000))
    receiver.wait_for("/hold")
    assert open_transactions() == 1
    assert value(connection, "select count(*) from net._http_response where id = any(%s)", ids) == 0
    receiver.released.set()
    assert [collect(connection, request_id)[0] for request_id in ids] == [200] * 11
    eventually(lambda: open_transactions() == 0)


def test_five_hundred_in_one_transaction_arrive_once_each_in_batches_of_two_hundred(
    connection: Connection, receiver: Receiver
) -> None:
    queue = "select net.http_post(%s || n) from generate_series(1, 500) n"
    ids = [row[0] for row in connection.execute(queue, [receiver.url("/bulk/")])]
    collect(connection, max(ids))
    pass_of_worker(connection, receiver)
    assert Counter(receiver.paths()) == Counter(f"/bulk/{n}" for n in range(1, 501))
    batches = connection.execute(
        "select count(*) from net._http_response where id = any(%s) and status_code = 200"
        " group by created order by created",  # now(), which is the same all through a transaction
        [ids],
    ).fetchall()
    assert batches == [(200,), (200,), (100,)]


def test_a_steady_stream_is_taken_in_batches(connection: Connection, receiver: Receiver) -> None:
    for _ in range(2):  # the first wakes the worker, the second cuts its pause short: no later one does
        pass_of_worker(connection, receiver)
    ids = [post(connection, receiver.url("/stream")) for _ in range(5)]
    collect(connection, ids[-1])
    assert value(connection, BATCHES, ids) == 1
