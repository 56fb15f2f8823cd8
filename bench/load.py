"""Sends requests to a server over connections that stay open, and keeps what each took.

Made of bytes and a protocol, and nothing else: it shares two processors with what it measures.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Requests = Callable[[], bytes]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Load:
    """What came of it: the milliseconds of each answer, in so many seconds, and how many had which status."""

    seconds: float = 0.0
    durations: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """How many answers came in a second."""
        return len(self.durations) / self.seconds


def encode(method: str, port: int, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Write a request."""
    lines = [f"{method} {target} HTTP/1.1", f"host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One request after the other, until it is told to end."""

    def __init__(self, requests: Requests, load: Load) -> None:
        self._requests, self._load = requests, load
        self._received = b""
        self._is_ending = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read; with the answer complete, send the next request."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _LENGTH.search(head)
        if length is None:
            self._fail(ValueError(f"an answer without a length: {head!r}"))
            return
        if len(body) < int(length[1]):
            return
        self._load.durations.append((time.perf_counter() - self._sent_at) * 1000)
        self._load.statuses[int(head[9:12])] += 1
        self._received = b""
        if self._is_ending:
            self._transport.close()
            self.ended.set_result(None)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Servers here keep their connections."""
        self._fail(error or ConnectionResetError("the server closed the connection"))

    def end(self) -> None:
        """Send nothing after the answer that is awaited."""
        self._is_ending = True

    def _send(self) -> None:
        request = self._requests()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def send(port: int, requests: Requests, connections: int, seconds: float) -> Load:
    """Send for so long, over so many connections."""
    return uvloop.run(_send(port, requests, connections, seconds))


async def _send(port: int, requests: Requests, connections: int, seconds: float) -> Load:
    load, loop = Load(), asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(requests, load), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    for connection in opened:
        connection.end()
    await asyncio.gather(*(connection.ended for connection in opened))
    load.seconds = time.perf_counter() - started
    return load
