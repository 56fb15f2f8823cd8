"""The one way out of this process: HTTP/1.1 over a pool of connections, bounded in number and time.

Why pyreqwest and no other client: docs/decisions/0006-light-functions.md.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pyreqwest.client import ClientBuilder

from _shared.tally import TALLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyreqwest.client import Client
    from pyreqwest.request import RequestBuilder
    from pyreqwest.response import Response

CONNECTIONS = 16
CONNECT_SECONDS = POOL_SECONDS = timedelta(seconds=2)
IDLE_SECONDS = timedelta(seconds=2)  # a server's usual 5 s must not end while a request is on its way
MAX_UNANSWERED = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    content: bytes
    retry_after: str | None = None


class Network:
    """One pool for everything that this process asks for. Nothing is retried, no redirect is followed.

    The first request opens it: its thread would not live on in a process that is forked afterwards, and
    servers fork. One that gives no answers any more, for whatever reason, is replaced; not oftener than a
    request may take, so that what is behind it meets no more than two pools at a time.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._pool: Client | None = None
        self._unanswered = 0
        self._answered_at = 0.0

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Answer:
        """Send a request and read the whole answer, in at most so many seconds as the network was given.

        Raises TimeoutError, RequestError (ConnectTimeoutError and PoolTimeoutError are both), and
        ValueError for an answer of more than `max_bytes`.
        """
        pool = self._pool = self._pool or self._open()
        request = pool.request(method, url).headers(dict(headers or {}))
        if content is not None:
            request = request.body_bytes(content)
        TALLY.connections += 1
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _exchange(request, max_bytes)
        except (TimeoutError, asyncio.CancelledError):
            if self._pool is pool:
                self._miss()
            raise
        finally:
            TALLY.connections -= 1
        self._unanswered, self._answered_at = 0, self._clock()
        return answer

    def _miss(self) -> None:
        """Count a request without an answer; drop a pool that has given none for too long.

        What is under way in it ends in its own time.
        """
        self._unanswered += 1
        is_silent = self._clock() - self._answered_at >= self._seconds
        if is_silent and self._unanswered >= MAX_UNANSWERED:
            self._pool = None

    def _open(self) -> Client:
        self._unanswered, self._answered_at = 0, self._clock()
        return (
            ClientBuilder()
            .http1_only()
            .no_proxy()  # a proxy variable must not see keys and tokens
            .follow_redirects(enable=False)
            .max_connections(CONNECTIONS)
            .pool_timeout(POOL_SECONDS)
            .pool_idle_timeout(IDLE_SECONDS)
            .connect_timeout(CONNECT_SECONDS)
            .build()
        )


async def _exchange(request: RequestBuilder, max_bytes: int | None) -> Answer:
    if max_bytes is None:
        response = await request.build().send()
        return _answer(response, bytes(await response.bytes()))
    content = bytearray()
    async with request.build_streamed() as response:
        while chunk := await response.body_reader.read_chunk():
            content += chunk
            if len(content) > max_bytes:
                raise ValueError("larger than expected")
    return _answer(response, bytes(content))


def _answer(response: Response, content: bytes) -> Answer:
    return Answer(response.status, content, response.get_header("retry-after"))
