"""Broadcasts and who hears them, with unmodified client libraries: once each, whatever breaks meanwhile."""

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
import psycopg
import pytest
from supabase import AsyncClientOptions, acreate_client

from local.requirements import node_program
from tests.stack.realtime.support import (
    JOINED,
    OK,
    VERSIONS,
    WAIT_SECONDS,
    Organization,
    line,
    listener,
    member,
    phoenix,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
    large = "x" * 100_000  # NOTIFY carries less than 8000 bytes
    async with member(stack, nhf) as ours, member(stack, hlf) as theirs:
        hlf.broadcast(db, "theirs")
        with db.transaction(force_rollback=True):
            nhf.broadcast(db, "rolled back")
        with db.transaction():
            nhf.broadcast(db, large)
            nhf.broadcast(db, "ours")
        await ours.until_heard("ours")
        await theirs.until_heard("theirs")
        assert (ours.names, theirs.names) == ([large, "ours"], ["theirs"])


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
        config: Any = {"config": {"private": True, "broadcast": None, "presence": None}}
        channel = client.channel(nhf.topic, config)
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


async def test_realtime_js_listens_renews_is_refused_elsewhere_and_comes_back(
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

        await client.tell(do="join", topic=hlf.topic)
        reason = f"Unauthorized: You do not have permissions to read from this Channel topic: {hlf.topic}"
        refusal = await client.next()
        assert (refusal["state"], reason in refusal["error"]) == ("CHANNEL_ERROR", True)
        assert await client.next() == {"state": "CLOSED"}
        nhf.broadcast(db, "the other channel is untouched")
        assert await client.next() == {"heard": "the other channel is untouched"}

        wire.cut()
        assert await client.next() == {"state": "CHANNEL_ERROR"}
        assert await client.next(BACK_SECONDS) == {"state": "SUBSCRIBED"}
        nhf.broadcast(db, "after the drop")
        assert await client.next() == {"heard": "after the drop"}


@pytest.mark.parametrize("vsn", [*VERSIONS, "realtime-js"])
async def test_what_clients_send_is_not_heard(
    stack: Stack, nhf: Organization, db: psycopg.Connection, vsn: str
) -> None:
    """As on Supabase there is no answer, not even to who asked for one: no policy lets anybody send."""
    topic, note = f"realtime:{nhf.topic}", {"type": "broadcast", "event": "note", "payload": {"name": "no"}}
    async with member(stack, nhf) as listening:
        if vsn == "realtime-js":  # which sends broadcasts as bytes
            key, token = stack.publishable_key, nhf.token()
            async with js_client(stack.api_url, key, token, nhf.topic) as client:
                await client.tell(do="send", name="forbidden")
                assert await client.next() == {"did": "send"}
                nhf.broadcast(db, "allowed")
                assert await client.next() == {"heard": "allowed"}
        else:
            async with phoenix(stack, vsn) as sender:
                assert await sender.join(nhf.topic, nhf.token(), broadcast={"ack": True}) == JOINED
                await sender.send(topic, "broadcast", note)
                assert await sender.ask("phoenix", "heartbeat", {}, ref="2") == OK
            nhf.broadcast(db, "allowed")
        await listening.until_heard("allowed")
        assert listening.names == ["allowed"]
    assert "realtime_broadcast_refused" in (stack.instance.logs / "gateway.log").read_text(encoding="utf-8")


async def test_listeners_keep_their_socket_over_a_restart_of_the_database(
    stack: Stack, nhf: Organization
) -> None:
    async with member(stack, nhf) as listening:
        stack.stop_postgres(immediate=True)
        stack.start_postgres()
        with psycopg.connect(stack.db_url, autocommit=True) as db:
            nhf.broadcast(db, "before the server listens again")
        await listening.until_heard("before the server listens again", 15)
        with psycopg.connect(stack.db_url, autocommit=True) as db:
            nhf.broadcast(db, "after")
        await listening.until_heard("after")
        assert listening.names == ["before the server listens again", "after"]  # each once
        assert listening.states == ["SUBSCRIBED"]


async def test_what_was_sent_while_the_server_did_not_listen_follows_once(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    listening_server = "from pg_stat_activity where application_name = 'fersk realtime'"
    async with member(stack, nhf) as listening:
        nhf.broadcast(db, "before")
        await listening.until_heard("before")
        with psycopg.connect(stack.admin_db_url, autocommit=True) as admin:
            admin.execute(f"select pg_terminate_backend(pid) {listening_server}")
            while admin.execute(f"select {listening_server}").fetchone():
                pass
            nhf.broadcast(admin, "meanwhile")
        await listening.until_heard("meanwhile")
        nhf.broadcast(db, "after")
        await listening.until_heard("after")
        assert listening.names == ["before", "meanwhile", "after"]


async def test_a_client_that_does_not_read_is_cut_off_and_holds_nobody_up(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    async with phoenix(stack) as asleep, member(stack, nhf) as listening:
        assert await asleep.join(nhf.topic, nhf.token()) == JOINED
        log = stack.instance.logs / "gateway.log"
        for number in range(1000):
            nhf.broadcast(db, f"{number} {'x' * 100_000}")
            await listening.until_heard(f"{number} {'x' * 100_000}")
            if "realtime_client_too_slow" in log.read_text(encoding="utf-8"):
                break
        else:
            pytest.fail("100 MB are waiting for a client that does not read")
        asleep.socket.transport.abort()  # it would wait for a farewell


async def test_an_offer_of_another_protocol_is_ignored(stack: Stack) -> None:
    """RFC 9110, 7.8; Java's HTTP client offers HTTP/2 with each first request."""
    headers = {"apikey": stack.secret_key, "connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c"}
    async with httpx.AsyncClient(base_url=f"{stack.rest_url}/") as http:
        read = await http.get("organizations?select=slug&slug=eq.nhf", headers=headers)
        assert (read.status_code, read.json()) == (200, [{"slug": "nhf"}])
        called = await http.post("rpc/get_health", headers=headers, json={})
        assert (called.status_code, "pending_changes" in called.json()) == (200, True)


def test_a_message_that_cannot_be_sent_never_fails_the_caller(
    nhf: Organization, db: psycopg.Connection
) -> None:
    notices: list[tuple[str | None, str | None]] = []
    db.add_notice_handler(lambda notice: notices.append((notice.severity, notice.message_primary)))

    def rows() -> int:
        found = db.execute("select count(*) from realtime.messages where topic = %s", [nhf.topic]).fetchone()
        assert found
        return int(found[0])

    before = rows()
    db.execute("select realtime.send('[1]', 'note', %s)", [nhf.topic])
    warning = 'WarnSendingBroadcastMessage: path element at position 1 is not an integer: "id"'
    assert (notices, rows()) == ([("WARNING", warning)], before)
    db.execute("select realtime.send('{}', 'note', %s)", [nhf.topic])
    assert (len(notices), rows()) == (1, before + 1)


def test_messages_are_kept_for_three_days(stack: Stack, nhf: Organization) -> None:
    with psycopg.connect(stack.admin_db_url) as admin:
        admin.execute(
            "insert into realtime.messages (topic, extension, event, inserted_at)"
            " select %s, 'broadcast', days::text, localtimestamp - make_interval(days => days, mins => -1)"
            " from generate_series(1, 5) as days",
            [nhf.topic],
        )
        admin.execute("set local role service_role")
        assert admin.execute("select realtime.prune_messages()").fetchone() == (2,)
        kept = admin.execute("select event from realtime.messages where event ~ '^\\d$' order by 1")
        assert kept.fetchall() == [("1",), ("2",), ("3",)]
        admin.execute("set local role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied for function prune_messages"):
            admin.execute("select realtime.prune_messages()")
        admin.rollback()
