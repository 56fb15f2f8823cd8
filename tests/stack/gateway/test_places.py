"""How many requests of one caller pass the gateway to PostgREST at the same time.

How long the others wait is asked of the places alone, by a clock that stands: unit/local/places.test.mjs.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from tests.stack.gateway.processes import JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY, Gateway, accept

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

AT_ONCE = 2
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
        assert connection.recv(65536).startswith(b"GET /units HTTP")
        arrived.append(connection)
    listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.settimeout(10)
    return arrived


def answer(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        connection.close()


def test_two_of_a_person_pass_and_nobody_else_waits_for_them(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    for _ in range(2):  # afterwards there are two again
        passed = [ask(of(KARI)) for _ in range(AT_ONCE)]
        first = arrive(listener, AT_ONCE)
        for other in (of(OLA), of(FORGED), {"apikey": SECRET_KEY}):
            asked = ask(other)
            answer(arrive(listener, 1))
            assert asked.result().status_code == 200
        third = ask(of(KARI)).result()
        assert (third.status_code, third.json(), third.headers["retry-after"]) == (429, LIMITED, "1")
        assert "Retry-After" in third.headers["access-control-expose-headers"]
        answer(first)
        assert {request.result().status_code for request in passed} == {200}


def test_the_service_needs_no_place(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]]
) -> None:
    calls = [ask({"apikey": SECRET_KEY}) for _ in range(AT_ONCE * 2)]
    answer(arrive(listener, AT_ONCE * 2))
    assert {call.result().status_code for call in calls} == {200}


def test_who_leaves_while_waiting_is_not_served(
    listener: socket.socket, ask: Callable[[dict[str, str]], Future[httpx.Response]], scripted: Gateway
) -> None:
    passed = [ask(of(KARI)) for _ in range(AT_ONCE)]
    first = arrive(listener, AT_ONCE)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{scripted.url}/rest/v1/units?gone", headers=of(KARI), timeout=0.3)

    def until_let_in() -> httpx.Response:  # the places rest for as long as this took
        while (response := ask(of(KARI)).result()).status_code == 429:
            pass
        return response

    with ThreadPoolExecutor(1) as pool:
        next_one = pool.submit(until_let_in)
        answer(first)
        answer(arrive(listener, 1))  # and not the one who has left, whose turn was before
        assert next_one.result().status_code == 200
    assert {request.result().status_code for request in passed} == {200}
