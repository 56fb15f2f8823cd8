"""What the functions find at the other end: a real HTTP server on this machine, which answers as it is told.

A handler is given each request as httpx sees it, with the address that it was meant for, so that a respx
router can be one. To behave badly, it raises one of the exceptions below.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import h11
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]

ORIGIN = "http://supabase.test"
"""What handlers see in place of the address of this machine."""


class HangUp(Exception):  # noqa: N818 - what the server does
    """Close the connection instead of answering."""


class HalfAnswer(Exception):  # noqa: N818
    """Close the connection in the middle of the body."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a server, a client or the kernel does meanwhile."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - of several programs, none tells us
            await asyncio.sleep(0.01)


async def never(_request: httpx.Request) -> httpx.Response:
    """Wait for as long as the caller does."""
    await asyncio.Event().wait()
    raise AssertionError


class Upstream:
    """A server and what it has seen.

    connections : open now.
    accepted    : since it was started.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0
        self.url = ""

    @property
    def connections(self) -> int:
        return len(self._tasks)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._talk(reader, writer)
        except (HangUp, ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = h11.Connection(h11.SERVER)
        while request := await read_request(parser, reader):
            answering = asyncio.ensure_future(self._handler(request))
            gone = asyncio.ensure_future(reader.read(1))  # nothing more is sent before the answer
            try:
                await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    return
            finally:
                answering.cancel()
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
            try:
                response = answering.result()
            except HalfAnswer:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                await writer.drain()
                return
            writer.write(encode(parser, response))
            await writer.drain()
            parser.start_next_cycle()


async def read_request(parser: h11.Connection, reader: asyncio.StreamReader) -> httpx.Request | None:
    head: h11.Request | None = None
    body = b""
    while True:
        match event := parser.next_event():
            case h11.NEED_DATA:
                parser.receive_data(await reader.read(65536))
            case h11.Request():
                head = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                assert head
                url = ORIGIN + head.target.decode()
                return httpx.Request(head.method.decode(), url, headers=list(head.headers), content=body)
            case _:
                return None


def encode(parser: h11.Connection, response: httpx.Response) -> bytes:
    kept = {"retry-after", "content-type", "location"}
    headers = [(name, value) for name, value in response.headers.items() if name in kept]
    headers.append(("content-length", str(len(response.content))))
    sent = [
        parser.send(h11.Response(status_code=response.status_code, headers=headers)),
        parser.send(h11.Data(data=response.content)),
        parser.send(h11.EndOfMessage()),
    ]
    return b"".join(part for part in sent if part)


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[Upstream]:
    """Run a server until the block ends."""
    server = Upstream(handler)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
