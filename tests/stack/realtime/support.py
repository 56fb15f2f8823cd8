"""Listeners of several kinds, tokens to let them in, and messages for them to hear."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import jwt
import psycopg
from realtime import AsyncRealtimeClient
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from realtime import AsyncRealtimeChannel, RealtimeSubscribeStates
    from realtime.types import BroadcastPayload
    from websockets.asyncio.client import ClientConnection

    from local.stack import Stack

WAIT_SECONDS = 10
VERSIONS = ("1.0.0", "2.0.0")
PARTS = ("join_ref", "ref", "topic", "event", "payload")
OK = {"status": "ok", "response": {}}
JOINED = {"status": "ok", "response": {"postgres_changes": []}}


@dataclass(frozen=True)
class Organization:
    """A seeded organisation, its channel, and a member who may listen to it."""

    id: str
    member_id: str
    jwt_secret: str = field(repr=False)

    @classmethod
    def find(cls, stack: Stack, slug: str) -> Self:
        with psycopg.connect(stack.db_url) as db:
            row = db.execute(
                "select o.id::text, min(p.id::text) from organizations o"
                " join profiles p on p.organization_id = o.id and p.is_active"
                " where o.slug = %s group by o.id",
                [slug],
            ).fetchone()
        assert row
        return cls(row[0], row[1], stack.jwt_secret)

    @property
    def topic(self) -> str:
        return f"activities:org:{self.id}"

    def token(self, *, seconds: float = 600, secret: str | None = None, **changes: Any) -> str:
        """Sign a member's access token; a change to None removes a claim."""
        claims = {
            "sub": self.member_id,
            "role": "authenticated",
            "aud": "authenticated",
            "exp": int(time.time() + seconds),
            "app_metadata": {"org_id": self.id},
            **changes,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, secret or self.jwt_secret, algorithm="HS256")

    def broadcast(self, db: psycopg.Connection, name: str) -> None:
        """Send a message that tests tell apart by its name."""
        payload = json.dumps({"name": name})
        db.execute("select realtime.send(%s, 'cache_invalidated', %s)", [payload, self.topic])


@dataclass(frozen=True)
class Phoenix:
    """A socket that speaks the bare protocol: messages as [join_ref, ref, topic, event, payload]."""

    socket: ClientConnection
    vsn: str

    async def send(self, topic: str, event: str, payload: Any, ref: str | None = "1") -> None:
        message = [ref, ref, topic, event, payload]
        frame = message if self.vsn == "2.0.0" else dict(zip(PARTS, message, strict=True))
        await self.socket.send(json.dumps(frame))

    async def receive(self) -> list[Any]:
        frame = json.loads(await asyncio.wait_for(self.socket.recv(), WAIT_SECONDS))
        return list(frame) if self.vsn == "2.0.0" else [frame[name] for name in PARTS]

    async def ask(self, topic: str, event: str, payload: Any, ref: str = "1") -> Any:
        """Send, and return the payload of the reply, which must be the next message."""
        await self.send(topic, event, payload, ref)
        answer = await self.receive()
        assert answer[1:4] == [ref, topic, "phx_reply"], answer
        return answer[4]

    async def join(self, topic: str, token: str | None, *, private: bool = True, **config: Any) -> Any:
        """Ask to join a topic (given without prefix) and return the payload of the reply."""
        payload = {"config": {"private": private, **config}} | ({"access_token": token} if token else {})
        return await self.ask(f"realtime:{topic}", "phx_join", payload)


def refused(reason: str) -> dict[str, Any]:
    return {"status": "error", "response": {"reason": reason}}


def websocket_url(stack: Stack, key: str | None, vsn: str | None = "1.0.0") -> str:
    given = {"apikey": key, "vsn": vsn}
    query = "&".join(f"{name}={value}" for name, value in given.items() if value)
    return f"{stack.api_url.replace('http', 'ws')}/realtime/v1/websocket?{query}"


@contextlib.asynccontextmanager
async def phoenix(stack: Stack, vsn: str = "1.0.0", key: str | None = None) -> AsyncIterator[Phoenix]:
    async with connect(websocket_url(stack, key or stack.publishable_key, vsn)) as socket:
        yield Phoenix(socket, vsn)


@dataclass
class Listener:
    """What an unmodified realtime-py client heard, and how its subscription went."""

    client: AsyncRealtimeClient
    channel: AsyncRealtimeChannel
    names: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_message(self, message: BroadcastPayload) -> None:
        self.names.append(message["payload"]["name"])
        self.changed.set()

    def on_state(self, state: RealtimeSubscribeStates, _: Exception | None) -> None:
        self.states.append(state.value)
        self.changed.set()

    async def until(self, condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def until_heard(self, name: str, seconds: float = WAIT_SECONDS) -> None:
        await self.until(lambda: name in self.names, seconds)


@contextlib.asynccontextmanager
async def listener(
    url: str, key: str, token: str, topic: str, *, private: bool = True
) -> AsyncIterator[Listener]:
    """Subscribe with realtime-py and keep listening until the end of the block."""
    client = AsyncRealtimeClient(f"{url}/realtime/v1", token=key)
    await client.set_auth(token)
    channel = client.channel(topic, {"config": {"private": private, "broadcast": None, "presence": None}})
    listening = Listener(client, channel)
    channel.on_broadcast("*", listening.on_message)
    try:
        await channel.subscribe(listening.on_state)
        assert listening.states == ["SUBSCRIBED"]
        yield listening
    finally:
        await client.remove_all_channels()


@contextlib.asynccontextmanager
async def member(stack: Stack, organization: Organization) -> AsyncIterator[Listener]:
    """Listen as a member on the organisation's channel."""
    token = organization.token()
    async with listener(stack.api_url, stack.publishable_key, token, organization.topic) as listening:
        yield listening


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
