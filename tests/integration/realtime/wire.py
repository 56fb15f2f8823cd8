"""A connection that a test can cut."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.stack import Stack


@dataclass
class Line:
    """A TCP line to the gateway that a test can cut."""

    url: str
    ends: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self) -> None:
        """Reset every connection, without a farewell."""
        assert self.ends
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()


@contextlib.asynccontextmanager
async def line(stack: Stack) -> AsyncIterator[Line]:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", stack.instance.ports.gateway)
        opened.ends += [writer, back]
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    opened = Line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        yield opened
