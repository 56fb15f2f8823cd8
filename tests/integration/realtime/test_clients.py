"""The unmodified client libraries: they join, hear what is theirs, renew their token, and come back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from supabase import AsyncClientOptions, acreate_client

from local.requirements import node_program
from tests.integration.realtime.support import WAIT_SECONDS, Organization, listener, member
from tests.integration.realtime.wire import line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import psycopg
    from realtime.types import BroadcastPayload

    from local.stack import Stack

# The library reads them when a connection breaks; here warnings are errors.
pytestmark = pytest.mark.filterwarnings("ignore:ConnectionClosed.* is deprecated:DeprecationWarning")
JS_CLIENT = Path(__file__).with_name("client.mjs")
NODE = str(node_program())
BACK_SECONDS = 30


async def test_a_listener_hears_their_organisation_and_no_other(
    stack: Stack, nhf: Organization, hlf: Organization, db: psycopg.Connection
) -> None:
    async with member(stack, nhf) as ours, member(stack, hlf) as theirs:
        hlf.broadcast(db, "theirs")
        nhf.broadcast(db, "ours")
        await ours.until_heard("ours")
        await theirs.until_heard("theirs")
        assert (ours.names, theirs.names) == (["ours"], ["theirs"])


async def test_private_and_public_channels_of_one_name_are_two(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    key = stack.publishable_key
    async with (
        member(stack, nhf) as private,
        listener(stack.api_url, key, key, nhf.topic, private=False) as public,
    ):
        db.execute("""select realtime.send('{"name": "public"}', 'any', %s, private => false)""", [nhf.topic])
        nhf.broadcast(db, "private")
        await public.until_heard("public")
        await private.until_heard("private")
        assert (public.names, private.names) == (["public"], ["private"])


async def test_supabase_py_hears_an_invalidation_in_its_own_session(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    units, dates = [uuid.uuid4(), uuid.uuid4()], [date(2026, 11, 1)]
    heard: asyncio.Queue[BroadcastPayload] = asyncio.Queue()
    async with httpx.AsyncClient() as http:
        options = AsyncClientOptions(httpx_client=http, auto_refresh_token=False)
        client = await acreate_client(stack.api_url, stack.publishable_key, options)
        await client.auth.sign_in_with_password({"email": "kari@nhf.example", "password": "password"})
        channel = client.channel(
            nhf.topic, {"config": {"private": True, "broadcast": None, "presence": None}}
        )
        channel.on_broadcast("cache_invalidated", heard.put_nowait)
        await channel.subscribe()
        try:
            await client.auth.refresh_session()  # hands the new token to the channel
            db.execute("select private.broadcast_invalidation(%s, %s, %s)", [nhf.id, units, dates])
            message = await asyncio.wait_for(heard.get(), WAIT_SECONDS)
            # The id is Realtime's own; nothing else is in it.
            content = {"unit_ids": [str(unit) for unit in units], "dates": ["2026-11-01"]}
            assert message["payload"] == content | {"id": message["meta"]["id"]}
            assert channel.is_joined
        finally:
            await client.remove_all_channels()


async def test_realtime_py_comes_back_after_a_dropped_connection(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    async with (
        line(stack) as wire,
        listener(wire.url, stack.publishable_key, nhf.token(), nhf.topic) as listening,
    ):
        wire.cut()
        await listening.until_states(["SUBSCRIBED", "CHANNEL_ERROR", "SUBSCRIBED"], BACK_SECONDS)
        nhf.broadcast(db, "after the drop")
        await listening.until_heard("after the drop")


@dataclass(frozen=True)
class JsClient:
    """A process with an unmodified realtime-js client; takes commands and reports events as JSON lines."""

    process: asyncio.subprocess.Process

    async def tell(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{json.dumps(command)}\n".encode())
        await self.process.stdin.drain()

    async def next(self, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        assert self.process.stdout
        text = await asyncio.wait_for(self.process.stdout.readline(), seconds)
        event: dict[str, Any] = json.loads(text)
        return event


@contextlib.asynccontextmanager
async def js_client(url: str, key: str, token: str, topic: str) -> AsyncIterator[JsClient]:
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(JS_CLIENT),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "URL": url, "KEY": key, "TOKEN": token, "TOPIC": topic},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    client = JsClient(process)
    try:
        assert await client.next() == {"state": "SUBSCRIBED"}
        yield client
        await client.tell(do="leave")
        assert await client.next() == {"state": "CLOSED"}
        assert await asyncio.wait_for(process.wait(), WAIT_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_realtime_js_listens_renews_and_comes_back(
    stack: Stack, nhf: Organization, hlf: Organization, db: psycopg.Connection
) -> None:
    async with (
        line(stack) as wire,
        js_client(wire.url, stack.publishable_key, nhf.token(), nhf.topic) as client,
    ):
        hlf.broadcast(db, "not ours")
        nhf.broadcast(db, "first")
        assert await client.next() == {"heard": "first"}

        await client.tell(do="renew", token=nhf.token(seconds=1200))
        assert await client.next() == {"did": "renew"}
        nhf.broadcast(db, "after the new token")
        assert await client.next() == {"heard": "after the new token"}

        wire.cut()
        assert await client.next() == {"state": "CHANNEL_ERROR"}
        assert await client.next(BACK_SECONDS) == {"state": "SUBSCRIBED"}
        nhf.broadcast(db, "after the drop")
        assert await client.next() == {"heard": "after the drop"}


async def test_realtime_js_is_told_why_it_is_refused(
    stack: Stack, nhf: Organization, hlf: Organization, db: psycopg.Connection
) -> None:
    async with js_client(stack.api_url, stack.publishable_key, nhf.token(), nhf.topic) as client:
        await client.tell(do="join", topic=hlf.topic)
        reason = f"Unauthorized: You do not have permissions to read from this Channel topic: {hlf.topic}"
        refusal = await client.next()
        assert (refusal["state"], reason in refusal["error"]) == ("CHANNEL_ERROR", True)
        assert await client.next() == {"state": "CLOSED"}
        nhf.broadcast(db, "the other channel is untouched")
        assert await client.next() == {"heard": "the other channel is untouched"}


@pytest.mark.usefixtures("may_send")
async def test_realtime_js_sends(stack: Stack, nhf: Organization) -> None:
    async with (
        member(stack, nhf) as listening,
        js_client(stack.api_url, stack.publishable_key, nhf.token(), nhf.topic) as client,
    ):
        await client.tell(do="send", name="blåbærsyltetøy")
        assert await client.next() == {"sent": "ok"}
        await listening.until_heard("blåbærsyltetøy")
