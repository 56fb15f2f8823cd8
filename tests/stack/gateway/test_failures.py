"""Services that are down, slow or cut off, clients that leave, bodies that are too large."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack.gateway.processes import (
    EMPTY_ANSWER,
    PUBLISHABLE_KEY,
    SLOW_REQUEST,
    Gateway,
    Upstream,
    accept,
    connect,
    environment,
    run_gateway,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = {"apikey": PUBLISHABLE_KEY}
CREDENTIALS = {"email": "kari@nhf.example", "password": "correct horse battery"}
UNREACHABLE = "The service is not reachable right now."


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Start a gateway with nobody behind it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # held but not listening: connections are refused
        env = environment(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with run_gateway(env, tmp_path_factory.mktemp("lonely") / "gateway.log") as running:
            yield running


def test_parts_that_are_down_say_so_in_their_own_shape(lonely: Gateway) -> None:
    rest = httpx.get(f"{lonely.url}/rest/v1/units", headers=KEY)
    body = {"code": "upstream_unavailable", "message": UNREACHABLE, "details": None, "hint": None}
    assert (rest.status_code, rest.json()) == (503, body)

    functions = httpx.post(f"{lonely.url}/functions/v1/x", json={})
    request_id = functions.headers["x-request-id"]
    error = {"code": "upstream_unavailable", "message": UNREACHABLE, "request_id": request_id}
    assert (functions.status_code, functions.json()) == (503, {"error": error})
    assert functions.headers["content-type"] == "application/json"
    assert functions.headers["access-control-allow-origin"] == "*"

    auth = httpx.post(f"{lonely.url}/auth/v1/token?grant_type=password", headers=KEY, json=CREDENTIALS)
    refusal: dict[str, object] = {"code": 503, "error_code": "upstream_unavailable", "msg": UNREACHABLE}
    assert (auth.status_code, auth.json()) == (503, refusal)


def test_unknown_route_without_a_console(lonely: Gateway) -> None:
    answer = httpx.get(f"{lonely.url}/storage/v1/object")
    assert (answer.status_code, answer.json()) == (404, {"message": "no Route matched with those values"})


@pytest.mark.parametrize(("path", "mebibytes"), [("/rest/v1/units", 5), ("/functions/v1/health", 50)])
def test_body_over_the_limit_is_refused(
    gateway: Gateway, upstream: Upstream, path: str, mebibytes: int
) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\napikey: {PUBLISHABLE_KEY}\r\n"
    size = mebibytes * 2**20 + 1
    for framing in (f"content-length: {size}\r\n\r\n", "transfer-encoding: chunked\r\n\r\n"):
        with connect(gateway) as client:
            client.sendall((head + framing).encode())
            if "chunked" in framing:
                for _ in range(mebibytes + 1):
                    client.sendall(b"100000\r\n" + bytes(2**20) + b"\r\n")
            answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"code":"payload_too_large"' in answer
    assert upstream.received == []


def test_client_that_leaves_ends_the_request_behind(listener: socket.socket, scripted: Gateway) -> None:
    with connect(scripted) as client:
        client.sendall(SLOW_REQUEST)
        behind = accept(listener)
        assert behind.recv(65536).startswith(b"GET /functions/v1/slow ")
    with behind:
        assert behind.recv(65536) == b""


def test_answer_that_breaks_off_breaks_off(listener: socket.socket, scripted: Gateway) -> None:
    """A truncated answer must not look complete."""
    with connect(scripted) as client:
        client.sendall(SLOW_REQUEST)
        with accept(listener) as behind:
            behind.recv(65536)
            behind.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"part" in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_pooled_connection_that_was_reset_is_replaced(listener: socket.socket, scripted: Gateway) -> None:
    served: list[str] = []

    def serve() -> None:
        with accept(listener) as first:
            first.recv(65536)
            first.sendall(EMPTY_ANSWER)
            assert first.recv(65536) != b"", "the second request should use the kept connection"
            served.append("reset")
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with accept(listener) as second:
            second.recv(65536)
            second.sendall(EMPTY_ANSWER)
            served.append("answered")

    thread = threading.Thread(target=serve)
    thread.start()
    statuses = [httpx.get(f"{scripted.url}/functions/v1/x").status_code for _ in range(2)]
    thread.join()
    assert (statuses, served) == ([200, 200], ["reset", "answered"])


def test_head_has_a_connection_of_its_own(listener: socket.socket, scripted: Gateway) -> None:
    """PostgREST closes the connection after a HEAD without saying so: nothing may follow on it."""
    methods: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        methods.append(connection.recv(65536).partition(b" ")[0])
        connection.sendall(EMPTY_ANSWER if methods[-1] != b"HEAD" else EMPTY_ANSWER.removesuffix(b"{}"))

    def serve() -> None:
        with accept(listener) as pooled:
            answer(pooled)
            with accept(listener) as own:
                answer(own)
                answer(pooled)

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"{scripted.url}/functions/v1/x"
    statuses = [answer.status_code for answer in (httpx.get(url), httpx.head(url), httpx.post(url))]
    thread.join()
    assert (statuses, methods) == ([200, 200, 200], [b"GET", b"HEAD", b"POST"])


def test_request_with_a_body_is_never_sent_twice(listener: socket.socket, scripted: Gateway) -> None:
    def serve() -> None:
        with accept(listener) as first:
            first.recv(65536)
            first.sendall(EMPTY_ANSWER)
            first.recv(65536)
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"{scripted.url}/functions/v1/x"
    assert [httpx.get(url).status_code, httpx.post(url, json={}).status_code] == [200, 503]
    thread.join()
    listener.settimeout(0.2)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_service_that_does_not_answer_is_504(listener: socket.socket, tmp_path: Path) -> None:
    upstream = f"http://127.0.0.1:{listener.getsockname()[1]}"
    env = environment(upstream, FERSK_GATEWAY_TIMEOUT_MS="200")
    with run_gateway(env, tmp_path / "gateway.log") as impatient:
        answer = httpx.get(f"{impatient.url}/functions/v1/slow")
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
        with accept(listener) as behind:
            assert behind.recv(65536).startswith(b"GET /functions/v1/slow ")
            assert behind.recv(65536) == b""
