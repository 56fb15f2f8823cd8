"""How many requests of one caller pass the gateway to PostgREST at the same time."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from tests.stack.gateway.processes import JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY, Gateway, accept

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

AT_ONCE = 4
LIMITED = {
    "code": "rate_limited",
    "message": "Too many requests at once; try again shortly.",
    "details": None,
    "hint": None,
}
KARI = jwt.encode({"sub": "kari", "role": "authenticated"}, JWT_SECRET)
OLA = jwt.encode({"sub": "ola", "role": "authenticated"}, JWT_SECRET)
FORGED = jwt.encode({"sub": "kari", "role": "authenticated"}, "another-secret-another-secret-another")


def of(token: str) -> dict[str, str]:
    return {"apikey": PUBLISHABLE_KEY, "authorization": f"Bearer {token}"}


@pytest.fixture
def ask(scripted: Gateway) -> Iterator[Callable[[dict[str, str]], Future[httpx.Response]]]:
    """Send a request whose answer is waited for elsewhere."""
    with ThreadPoolExecutor(20) as pool:
        url = f"{scripted.url}/rest/v1/units"
        yield lambda headers: pool.submit(httpx.get, url, headers=headers, timeout=30)


def arrive(listener: socket.socket, count: int) -> list[socket.socket]:
    """Take so many requests, and no more within a moment."""
    arrived = []
    for _ in range(count):
        connection = accept(listener)
        assert connection.recv(65536).startswith(b"GET /units")
        arrived.append(connection)
    listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.settimeout(10)
    return arrived


def answer(connections: list[socket.socket], status: str = "200 OK") -> None:
    for connection in connections:
        connection.sendall(
            f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}".encode()
        )
        connection.close()


@contextmanager
def lasting(at_least: float, at_most: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert at_least <= time.monotonic() - started <= at_most


def test_four_of_a_person_pass_and_the_others_wait(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    waiting = [ask(of(KARI)) for _ in range(AT_ONCE + 3)]
    first = arrive(listener, AT_ONCE)
    other = ask(of(OLA))
    answer(arrive(listener, 1))  # somebody else's, at once
    assert other.result().status_code == 200
    answer(first[:1])
    answer(arrive(listener, 1) + first[1:])
    answer(arrive(listener, 2))
    assert [request.result().status_code for request in waiting] == [200] * (AT_ONCE + 3)


def test_who_forges_a_token_takes_nobodys_place(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    forged = [ask(of(FORGED)) for _ in range(AT_ONCE + 1)]
    first = arrive(listener, AT_ONCE)
    real = ask(of(KARI))
    answer(arrive(listener, 1))
    assert real.result().status_code == 200
    answer(first)
    answer(arrive(listener, 1))
    assert {request.result().status_code for request in forged} == {200}


def test_the_service_does_not_wait(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    calls = [ask({"apikey": SECRET_KEY}) for _ in range(AT_ONCE * 2)]
    answer(arrive(listener, AT_ONCE * 2))
    assert {call.result().status_code for call in calls} == {200}


def test_waiting_has_an_end(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    waiting = [ask(of(KARI)) for _ in range(AT_ONCE)]
    first = arrive(listener, AT_ONCE)
    with lasting(4, 9):
        late = ask(of(KARI)).result()
    assert (late.status_code, late.json(), late.headers["retry-after"]) == (429, LIMITED, "1")
    assert "Retry-After" in late.headers["access-control-expose-headers"]
    answer(first)
    assert {request.result().status_code for request in waiting} == {200}


@pytest.mark.parametrize(
    ("status", "seconds"), [("200 OK", 0), ("400 Bad Request", 0.25), ("429 Too Many Requests", 1)]
)
def test_the_place_of_a_refusal_rests_while_others_wait(
    listener: socket.socket,
    ask: Callable[[dict[str, str]], Future[httpx.Response]],
    status: str,
    seconds: float,
) -> None:
    waiting = [ask(of(KARI)) for _ in range(AT_ONCE + 1)]
    first = arrive(listener, AT_ONCE)
    answer(first[:1], status)
    with lasting(seconds - 0.05, seconds + 0.5):
        last = accept(listener)
    answer([last, *first[1:]])
    assert len({request.result().status_code for request in waiting}) == (1 if seconds == 0 else 2)


def test_whoever_asks_one_after_the_other_never_waits(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    with lasting(0, 2):
        for _ in range(AT_ONCE * 3):
            refused = ask(of(KARI))
            answer([accept(listener)], "400 Bad Request")
            assert refused.result().status_code == 400


def test_who_leaves_while_waiting_keeps_no_place(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]], scripted: Gateway
) -> None:
    waiting = [ask(of(KARI)) for _ in range(AT_ONCE)]
    first = arrive(listener, AT_ONCE)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{scripted.url}/rest/v1/units", headers=of(KARI), timeout=0.3)
    last = ask(of(KARI))
    answer(first)
    answer([accept(listener)])
    assert {request.result().status_code for request in (*waiting, last)} == {200}
