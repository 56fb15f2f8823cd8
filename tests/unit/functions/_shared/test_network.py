"""The one way out of the process: bounded, without a memory of who gave up, and never dead for good."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from pyreqwest.exceptions import ConnectError, PoolTimeoutError

from _shared import network
from _shared.network import CONNECTIONS, MAX_UNANSWERED, Answer, Network
from _shared.tally import TALLY
from tests.support.upstream import HangUp, never, until, upstream

if TYPE_CHECKING:
    from pyreqwest.client import Client

FUNCTIONS = Path(__file__).parents[4] / "functions"
GIVING_UP = 1000


class Door:
    """A server that answers while it is open, and keeps who asks waiting while it is not."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await self.open.wait()
        return httpx.Response(200, text="[1.10]")


async def all_at_once(out: Network, url: str) -> list[int]:
    """As many requests as there are connections, all under way at the same time."""
    answers = await asyncio.gather(*(out.send("GET", url) for _ in range(CONNECTIONS)))
    return [answer.status for answer in answers]


async def test_a_request_arrives_as_it_was_sent_and_the_answer_likewise() -> None:
    seen: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(429, content=b"\xff\x00", headers={"retry-after": "7"})

    async with upstream(answer) as server:
        sent = await Network(8).send(
            "POST", f"{server.url}/a?b=%2F&c=d+e", {"X-Y": "ø".encode().hex()}, b"{}"
        )
    assert sent == Answer(429, b"\xff\x00", "7")
    (request,) = seen
    assert (request.method, request.url.raw_path, request.content) == ("POST", b"/a?b=%2F&c=d+e", b"{}")
    assert request.headers["x-y"] == "c3b8"


async def test_connections_are_bounded_and_used_again() -> None:
    door = Door()
    async with upstream(door) as server:
        out = Network(8)
        calls = [asyncio.ensure_future(out.send("GET", server.url)) for _ in range(CONNECTIONS * 3)]
        await until(lambda: len(door.asked) == CONNECTIONS)
        assert TALLY.connections == CONNECTIONS * 3
        door.open.set()
        assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
        assert server.accepted == CONNECTIONS


@pytest.mark.parametrize("when", ["at-once", "while-connecting", "while-waiting"])
async def test_a_thousand_who_give_up_leave_no_slot_behind(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(
        network, "POOL_SECONDS", timedelta(seconds=60)
    )  # a slot that is kept is kept for good
    door = Door()
    async with upstream(door) as server:
        out = Network(60)
        calls = [asyncio.ensure_future(out.send("GET", server.url)) for _ in range(GIVING_UP)]
        if when == "while-connecting":
            await asyncio.sleep(0)
        elif when == "while-waiting":
            await until(lambda: len(door.asked) == CONNECTIONS)
        for call in calls:
            call.cancel()
        given_up = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in given_up} == {asyncio.CancelledError}
        assert TALLY.connections == 0
        door.open.set()
        assert await all_at_once(out, server.url) == [200] * CONNECTIONS
        await until(lambda: server.connections <= CONNECTIONS)


async def test_an_idle_connection_is_closed_before_its_server_would(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timedelta() < network.IDLE_SECONDS < timedelta(seconds=5)
    monkeypatch.setattr(network, "IDLE_SECONDS", timedelta(seconds=0.1))
    door = Door()
    door.open.set()
    async with upstream(door) as server:
        out = Network(8)
        await out.send("GET", server.url)
        await until(lambda: server.connections == 0)
        assert (await out.send("GET", server.url)).status == 200
        assert server.accepted == 2


async def test_a_pool_that_gives_no_answers_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """As httpcore's did: its slots were gone for good (encode/httpcore#1093). This one's are on purpose."""
    monkeypatch.setattr(network, "POOL_SECONDS", timedelta(seconds=0.05))
    door = Door()
    async with upstream(never) as silent, upstream(door) as server:
        door.open.set()
        now = 1000.0
        out = Network(8, clock=lambda: now)
        held = [asyncio.ensure_future(out.send("GET", silent.url)) for _ in range(CONNECTIONS)]
        await until(lambda: silent.accepted == CONNECTIONS)
        for _ in range(MAX_UNANSWERED):
            with pytest.raises(PoolTimeoutError):
                await out.send("GET", server.url)
        now += 7.9  # not yet: a request may take so long
        with pytest.raises(PoolTimeoutError):
            await out.send("GET", server.url)
        now += 0.1
        with pytest.raises(PoolTimeoutError):  # of which one has to learn
            await out.send("GET", server.url)
        assert await all_at_once(out, server.url) == [200] * CONNECTIONS
        assert not any(each.done() for each in held)  # what is under way may still be answered
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_a_pool_that_answers_now_and_then_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Client] = []
    open_pool = Network._open

    def count(out: Network) -> Client:
        opened.append(open_pool(out))
        return opened[-1]

    monkeypatch.setattr(Network, "_open", count)
    door = Door()
    async with upstream(door) as server:
        now = 1000.0
        out = Network(8, clock=lambda: now)
        for _ in range(MAX_UNANSWERED * 2):
            door.open.clear()
            now += 10
            door.asked.clear()
            given_up = asyncio.ensure_future(out.send("GET", server.url))
            await until(lambda: len(door.asked) == 1)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            door.open.set()
            assert (await out.send("GET", server.url)).status == 200
    assert len(opened) == 1


async def test_nothing_is_sent_twice_and_no_redirect_followed() -> None:
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/gone":
            raise HangUp
        return httpx.Response(307, headers={"location": "/elsewhere"})

    async with upstream(answer) as server:
        out = Network(8)
        assert (await out.send("GET", f"{server.url}/moved")).status == 307
        with pytest.raises(ConnectError):
            await out.send("GET", f"{server.url}/gone")
    assert asked == ["/moved", "/gone"]


async def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    door = Door()
    door.open.set()
    async with upstream(door) as server:
        assert (await Network(8).send("GET", server.url)).status == 200


async def test_no_more_is_read_than_is_wanted() -> None:
    async def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * 1000)

    async with upstream(answer) as server:
        out = Network(8)
        assert (await out.send("GET", server.url, max_bytes=1000)).content == b"x" * 1000
        with pytest.raises(ValueError, match="larger"):
            await out.send("GET", server.url, max_bytes=999)


FORKING = """
import asyncio, os, sys
from _shared.network import Network

out = Network(8)
child = os.fork()
if child == 0:
    answer = asyncio.run(out.send("GET", sys.argv[1]))
    os._exit(0 if answer.status == 200 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


async def test_what_was_made_before_a_fork_works_after_it() -> None:
    """As servers do: they load the functions, and then fork."""
    door = Door()
    door.open.set()
    async with upstream(door) as server:
        forked = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FORKING, server.url, env={**os.environ, "PYTHONPATH": str(FUNCTIONS)}
        )
        async with asyncio.timeout(20):
            assert await forked.wait() == 0
    assert len(door.asked) == 1
