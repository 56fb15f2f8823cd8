"""The sender of the pg_net stand-in against played HTTP, and the worker's configuration."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests
import responses
import urllib3.exceptions
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError, ProtocolError, ReadTimeoutError

from local.pg_net.config import Config
from local.pg_net.sender import Answer, Request, Sender
from local.pg_net.stop import Stop, wait_readable

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "http://receiver.test/hook"
CONNECTION = HTTPConnection("receiver.test")


@pytest.fixture
def sender() -> Iterator[Sender]:
    with closing(Sender(concurrency=4)) as sender:
        yield sender


@pytest.fixture
def played() -> Iterator[responses.RequestsMock]:
    """Plays HTTP: what is not registered fails as a refused connection, what is not called fails the test."""
    with responses.RequestsMock() as played:
        yield played


def make_request(
    *,
    request_id: int = 1,
    method: str = "POST",
    url: str = URL,
    headers: dict[str, str] | None = None,
    body: bytes | None = b"{}",
    timeout_milliseconds: int = 5000,
) -> Request:
    return Request(request_id, method, url, headers or {}, body, timeout_milliseconds)


def chained(error: Exception, *causes: Exception) -> Exception:
    """`error`, raised while the causes were handled: the way requests wraps the errors of urllib3."""
    current = error
    for cause in causes:
        current.__context__ = cause
        current = cause
    return error


def test_answer_carries_status_headers_and_content(sender: Sender, played: responses.RequestsMock) -> None:
    played.post(URL, body="{}", content_type="application/json", headers={"X-Town": "Bod\xc3\xb8"})

    assert sender.send(make_request(request_id=7)) == Answer(
        7,
        status_code=200,
        content_type="application/json",
        headers={"X-Town": "Bodø", "Content-Type": "application/json"},
        content="{}",
    )


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "get", "Delete"])
def test_method_is_sent_whatever_its_case(
    method: str, sender: Sender, played: responses.RequestsMock
) -> None:
    played.add(method.upper(), URL, status=204)

    assert sender.send(make_request(method=method)).status_code == 204


def test_request_is_sent_as_it_was_queued(sender: Sender, played: responses.RequestsMock) -> None:
    played.post(f"{URL}?a=1&b=x%20y")
    headers = {"Content-Type": "application/json", "webhook-signature": "v1,abc=", "X-Town": "Bodø"}

    sender.send(make_request(url=f"{URL}?a=1&b=x%20y", headers=headers, body='{"a": "ø"}'.encode()))

    sent = played.calls[0].request
    assert sent.url == f"{URL}?a=1&b=x%20y"
    assert sent.body == '{"a": "ø"}'.encode()
    assert dict(sent.headers) == {
        "User-Agent": "pg_net/0.20.4",
        "Accept": "*/*",
        "Content-Type": b"application/json",
        "webhook-signature": b"v1,abc=",
        "X-Town": "Bodø".encode(),
        "Content-Length": "11",
    }


@pytest.mark.parametrize(("milliseconds", "seconds"), [(5000, 5.0), (250, 0.25), (0, None)])
def test_timeout_is_passed_on_and_zero_is_none(
    milliseconds: int, seconds: float | None, sender: Sender, played: responses.RequestsMock
) -> None:
    played.post(URL, match=[responses.matchers.request_kwargs_matcher({"timeout": seconds})])

    assert sender.send(make_request(timeout_milliseconds=milliseconds)).error_msg is None


@pytest.mark.parametrize("status", [400, 401, 429, 500, 502, 503, 504])
def test_refusals_are_never_retried(status: int, sender: Sender, played: responses.RequestsMock) -> None:
    played.post(URL, status=status, headers={"Retry-After": "0"})

    assert sender.send(make_request()).status_code == status
    assert len(played.calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(requests.ConnectTimeout(), id="connecting"),
        pytest.param(requests.ReadTimeout(), id="waiting"),
        pytest.param(
            chained(
                requests.ConnectionError(),
                ReadTimeoutError(HTTPConnectionPool("receiver.test"), URL, "Read timed out."),
            ),
            id="reading-the-content",
        ),
    ],
)
def test_timeout_is_an_answer_and_not_retried(
    error: Exception, sender: Sender, played: responses.RequestsMock
) -> None:
    played.post(URL, body=error)

    answer = sender.send(make_request(timeout_milliseconds=800))

    assert answer.timed_out
    assert answer.status_code is None
    assert str(answer.error_msg).startswith("Timeout of 800 ms reached. Total time: ")
    assert len(played.calls) == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(
            chained(
                requests.ConnectionError(),
                NewConnectionError(CONNECTION, "refused"),
                ConnectionRefusedError(),
            ),
            "Couldn't connect to server",
            id="refused",
        ),
        pytest.param(
            chained(
                requests.ConnectionError(),
                NameResolutionError("receiver.test", CONNECTION, socket.gaierror()),
            ),
            "Couldn't resolve host name",
            id="unknown-host",
        ),
        pytest.param(
            chained(
                requests.ConnectionError(), ProtocolError("aborted"), http.client.RemoteDisconnected("closed")
            ),
            "Server returned nothing (no headers, no data)",
            id="hung-up",
        ),
        pytest.param(
            chained(requests.ConnectionError(), ProtocolError("aborted"), http.client.BadStatusLine("?")),
            "Weird server reply",
            id="not-http",
        ),
        pytest.param(
            chained(requests.ConnectionError(), ProtocolError("aborted"), ConnectionResetError()),
            "Failure when receiving data from the peer",
            id="reset",
        ),
        pytest.param(
            chained(requests.exceptions.ChunkedEncodingError(), http.client.IncompleteRead(b"")),
            "Transferred a partial file",
            id="cut-short",
        ),
        pytest.param(
            chained(requests.exceptions.SSLError(), ssl.SSLCertVerificationError()),
            "SSL connect error",
            id="certificate",
        ),
        pytest.param(requests.TooManyRedirects(), "Number of redirects hit maximum amount", id="redirects"),
        pytest.param(
            requests.exceptions.InvalidSchema(f"no adapter for {URL}"), "Unsupported protocol", id="protocol"
        ),
        pytest.param(
            urllib3.exceptions.LocationValueError("secret"), "LocationValueError", id="others-by-kind-only"
        ),
    ],
)
def test_failure_is_told_in_the_words_of_curl_and_not_retried(
    error: Exception, message: str, sender: Sender, played: responses.RequestsMock
) -> None:
    played.post(URL, body=error)

    assert sender.send(make_request(request_id=3)) == Answer(3, error_msg=message)
    assert len(played.calls) == 1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        pytest.param(make_request(url="ftp://receiver.test/"), "Unsupported protocol", id="ftp"),
        pytest.param(
            make_request(url="http://"), "URL using bad/illegal format or missing URL", id="no-host"
        ),
        pytest.param(make_request(headers={"X": "a\r\nY: b"}), "InvalidHeader", id="header-injection"),
    ],
)
def test_request_that_cannot_be_sent_is_an_answer(request_: Request, message: str, sender: Sender) -> None:
    assert sender.send(request_) == Answer(1, error_msg=message)


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        pytest.param("blåbær".encode(), "blåbær", id="utf-8"),
        pytest.param(b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}", id="latin-1"),
        pytest.param(b"before\0after", "before", id="up-to-a-nul"),
        pytest.param(b"\0", None, id="only-a-nul"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_content_is_text_that_postgres_can_store(
    octets: bytes, content: str | None, sender: Sender, played: responses.RequestsMock
) -> None:
    played.post(URL, body=octets, content_type="text/plain; charset=latin-1")

    assert sender.send(make_request()).content == content


def test_batch_is_answered_in_order_whatever_fails(sender: Sender, played: responses.RequestsMock) -> None:
    for number in range(1, 10):
        played.post(f"{URL}/{number}", status=200 + number) if number != 5 else None
    batch = [make_request(request_id=n, url=f"{URL}/{n}") for n in range(1, 10)]

    answers = sender.send_all(batch)

    assert [answer.id for answer in answers] == list(range(1, 10))
    assert [answer.status_code for answer in answers] == [
        None if number == 5 else 200 + number for number in range(1, 10)
    ]


def test_requests_know_nothing_of_each_other_nor_of_proxies(
    sender: Sender, played: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    played.get(URL, headers={"Set-Cookie": "visited=yes"})

    for _ in range(2):
        sender.send(make_request(method="GET", body=None))

    assert len(played.calls) == 2
    assert "Cookie" not in played.calls[1].request.headers
    assert not played.calls[1].request.req_kwargs["proxies"]  # type: ignore[attr-defined]


def test_configuration_has_the_defaults_of_pg_net() -> None:
    config = Config.from_environment({"FERSK_PG_NET_DB_URL": "postgresql://u:secret@h/d"})

    assert (config.batch_size, config.ttl, config.concurrency) == (200, "6 hours", 200)
    assert "secret" not in repr(config)


def test_configuration_is_read_from_the_environment() -> None:
    config = Config.from_environment(
        {"FERSK_PG_NET_DB_URL": "x", "FERSK_PG_NET_BATCH_SIZE": "2000", "FERSK_PG_NET_TTL": "1 day"}
    )

    assert (config.batch_size, config.ttl, config.concurrency) == (2000, "1 day", 200)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, "FERSK_PG_NET_DB_URL"),
        ({"FERSK_PG_NET_DB_URL": ""}, "FERSK_PG_NET_DB_URL"),
        ({"FERSK_PG_NET_DB_URL": "x", "FERSK_PG_NET_BATCH_SIZE": "0"}, "FERSK_PG_NET_BATCH_SIZE"),
        ({"FERSK_PG_NET_DB_URL": "x", "FERSK_PG_NET_BATCH_SIZE": "many"}, "FERSK_PG_NET_BATCH_SIZE"),
    ],
)
def test_wrong_configuration_is_named(environment: dict[str, str], variable: str) -> None:
    with pytest.raises(ValueError, match=rf"^{variable} "):
        Config.from_environment(environment)


def test_stop_is_readable_once_set() -> None:
    with Stop() as stop:
        assert wait_readable((stop,), 0) == []

        stop.set()
        stop.set()

        assert stop.is_set()
        assert wait_readable((stop,), None) == [stop]
