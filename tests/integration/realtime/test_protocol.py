"""What the protocol says about everything but broadcasts that arrive: errors, limits, and what is logged."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.realtime.support import (
    JOINED,
    VERSIONS,
    WAIT_SECONDS,
    Organization,
    Phoenix,
    note,
    phoenix,
    refused,
)

if TYPE_CHECKING:
    import psycopg

    from local.stack import Stack

OK = {"status": "ok", "response": {}}


async def close_code(client: Phoenix) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(client.socket.recv(), WAIT_SECONDS)
    return closed.value.rcvd.code if closed.value.rcvd else None


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_messages_that_lead_nowhere_are_answered(stack: Stack, nhf: Organization, vsn: str) -> None:
    topic = f"realtime:{nhf.topic}"
    unmatched = refused("unmatched topic")
    presence = refused("PresenceNotSupported: Presence is not in the local stack")
    async with phoenix(stack, vsn) as client:
        await client.send("phoenix", "heartbeat", {}, ref=None, join_ref=None)
        assert await client.receive() == [None, None, "phoenix", "phx_reply", OK]
        assert await client.ask("phoenix", "other", {}) == unmatched
        assert await client.ask("room", "phx_join", {"access_token": nhf.token()}) == unmatched
        no_name = refused("TopicNameRequired: You must provide a topic name")
        assert await client.join("", nhf.token()) == no_name
        assert await client.ask(topic, "broadcast", note("not joined")) == unmatched

        assert await client.join(nhf.topic, nhf.token(), presence={"enabled": True}) == JOINED
        assert await client.receive() == ["1", None, topic, "presence_state", {}]
        assert await client.ask(topic, "presence", {"event": "track", "payload": {}}) == presence
        assert await client.ask(topic, "other", {}) == refused("unmatched event")
        assert await client.ask(topic, "phx_leave", {}) == OK
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.ask(topic, "broadcast", note("left")) == unmatched


async def test_postgres_changes_are_refused_by_name(stack: Stack, nhf: Organization) -> None:
    changes = [{"event": "INSERT", "schema": "public", "table": "activities"}]
    reason = "PostgresChangesNotSupported: The local stack has broadcasts only; use realtime.send()"
    async with phoenix(stack) as client:
        assert await client.join(nhf.topic, nhf.token(), postgres_changes=changes) == refused(reason)
        assert await client.join(nhf.topic, nhf.token(), postgres_changes=[]) == JOINED


async def test_joining_again_ends_the_first_join(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    topic = f"realtime:{nhf.topic}"
    join = {"config": {"private": True}, "access_token": nhf.token()}
    async with phoenix(stack) as client:
        assert await client.ask(topic, "phx_join", join) == JOINED
        await client.send(topic, "phx_join", join, ref="2", join_ref="2")
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.receive() == ["2", "2", topic, "phx_reply", JOINED]
        nhf.broadcast(db, "once")
        assert (await client.receive())[0] == "2"
        assert await client.ask("phoenix", "heartbeat", {}) == OK


async def test_a_socket_has_at_most_100_channels(stack: Stack) -> None:
    async with phoenix(stack) as client:
        for number in range(100):
            assert await client.join(f"room:{number}", None, private=False) == JOINED
        answer = await client.join("room:100", None, private=False)
        assert answer == refused("ChannelRateLimitReached: Too many channels")
        assert await client.ask("realtime:room:0", "phx_leave", {}) == OK
        assert (await client.receive())[3] == "phx_close"
        assert await client.join("room:100", None, private=False) == JOINED


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("{", 1007, id="not-json"),
        pytest.param("null", 1007, id="not-a-message"),
        pytest.param("[]", 1007, id="other-version"),
        pytest.param('{"topic": "phoenix", "event": "heartbeat", "payload": []}', 1007, id="payload"),
        pytest.param('{"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": 1}', 1007, id="ref"),
        pytest.param(b"\x03", 1007, id="binary"),
        pytest.param(json.dumps({"x": "x" * 256 * 1024}), 1009, id="too-large"),
    ],
)
async def test_a_frame_outside_the_protocol_closes_the_socket(
    stack: Stack, frame: str | bytes, code: int
) -> None:
    async with phoenix(stack) as client:
        assert await client.ask("phoenix", "heartbeat", {"x": "x" * 250 * 1024}) == OK
        await client.socket.send(frame)
        assert await close_code(client) == code


async def test_bytes_go_to_those_who_can_receive_them(stack: Stack) -> None:
    """Version 2.0.0 may carry bytes in place of JSON; 1.0.0 cannot, and hears nothing."""
    topic = b"realtime:room"
    push = bytes([3, 1, 1, len(topic), 4, 0, 0]) + b"1" + b"2" + topic + b"note" + bytes(range(256))
    async with phoenix(stack, "2.0.0") as sender, phoenix(stack, "2.0.0") as new, phoenix(stack) as old:
        for client in (new, old):
            assert await client.join("room", None, private=False) == JOINED
        assert await sender.join("room", None, private=False, broadcast={"ack": True}) == JOINED
        await sender.socket.send(push)
        assert await sender.receive() == ["1", "2", "realtime:room", "phx_reply", OK]
        frame = await asyncio.wait_for(new.socket.recv(), WAIT_SECONDS)
        assert frame == bytes([4, len(topic), 4, 0, 0]) + topic + b"note" + bytes(range(256))
        assert await sender.ask("realtime:room", "broadcast", note("text")) == OK
        assert (await old.receive())[4] == note("text")
        await sender.socket.send(push[:12])
        assert await close_code(sender) == 1007


async def test_an_offer_of_another_protocol_is_ignored(stack: Stack) -> None:
    """RFC 9110, 7.8; Java's HTTP client offers HTTP/2 with each first request."""
    headers = {"apikey": stack.secret_key, "connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c"}
    async with httpx.AsyncClient(base_url=f"{stack.rest_url}/") as http:
        read = await http.get("organizations?select=slug&slug=eq.nhf", headers=headers)
        assert (read.status_code, read.json()) == (200, [{"slug": "nhf"}])
        called = await http.post("rpc/get_health", headers=headers, json={})
        assert (called.status_code, "pending_changes" in called.json()) == (200, True)


async def test_the_log_holds_neither_tokens_nor_people(stack: Stack, nhf: Organization) -> None:
    async with phoenix(stack) as client:
        assert await client.join(nhf.topic, None) != JOINED
        assert await client.join(nhf.topic, nhf.token()) == JOINED
    log = (stack.instance.logs / "gateway.log").read_text(encoding="utf-8")
    assert '"event":"realtime_join_refused","code":"Unauthorized"' in log
    assert '"event":"realtime_joined","private":true' in log
    for secret in ("eyJ", "sb_publishable_", "sb_secret_", nhf.member_id, nhf.topic, stack.jwt_secret):
        assert secret not in log
