"""Who gets in and for how long: keys open the socket, tokens and policies a channel."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stack.realtime.support import (
    JOINED,
    OK,
    VERSIONS,
    WAIT_SECONDS,
    Organization,
    phoenix,
    refused,
    websocket_url,
)

if TYPE_CHECKING:
    import psycopg

    from local.stack import Stack

INVALID_KEY = {"message": "Invalid API key", "hint": "Double check your Supabase `apikey`"}
NO_KEY = {
    "message": "No API key found in request",
    "hint": "No `apikey` request header or url param was found.",
}
MALFORMED = "MalformedJWT: The token provided is not a valid JWT"
SIGNER = "JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration"
SIGNATURE = "JwtSignatureError: Failed to validate JWT signature"
CLAIMS_MISSING = "InvalidJWTToken: Fields `role` and `exp` are required in JWT"
OTHER_SECRET = "another-secret-another-secret-another"


def no_permission(topic: str) -> str:
    return f"You do not have permissions to read from this Channel topic: {topic}"


async def refused_handshake(url: str) -> tuple[int, Any]:
    with pytest.raises(InvalidStatus) as handshake:
        async with connect(url):
            pass
    response = handshake.value.response
    return response.status_code, json.loads(response.body or b"")


async def test_keys_and_protocol_versions_open_a_socket_and_nothing_else_does(
    stack: Stack, nhf: Organization
) -> None:
    for key in (stack.publishable_key, stack.secret_key, stack.anon_key, stack.service_role_key):
        for vsn in VERSIONS:
            async with phoenix(stack, vsn, key=key) as client:
                assert await client.ask("phoenix", "heartbeat", {}) == OK
    assert await refused_handshake(websocket_url(stack, None)) == (401, NO_KEY)
    for key in ("guess", nhf.token(), stack.publishable_key[:-1]):
        assert await refused_handshake(websocket_url(stack, key)) == (401, INVALID_KEY)
    body = {"message": "Unknown protocol version", "hint": "vsn is 1.0.0 or 2.0.0"}
    assert await refused_handshake(websocket_url(stack, stack.publishable_key, "3.0.0")) == (400, body)
    async with connect(websocket_url(stack, stack.publishable_key, None)):
        pass  # without one it is 1.0.0


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_members_join_a_private_channel_and_the_secret_key_may_too(
    stack: Stack, nhf: Organization, hlf: Organization, vsn: str
) -> None:
    refusal = refused(f"Unauthorized: {no_permission(nhf.topic)}")
    nobody = "00000000-0000-4000-8000-000000000000"
    async with phoenix(stack, vsn) as client:
        for token in (
            None,
            stack.publishable_key,
            stack.anon_key,
            hlf.token(),
            hlf.token(app_metadata={"org_id": nhf.id}),
            nhf.token(app_metadata=None),
            nhf.token(sub=nobody),
            nhf.token(role="anon"),
            nhf.token(role="postgres"),
            nhf.token(role="supabase_admin"),
            nhf.token(role="no such role"),
        ):
            assert await client.join(nhf.topic, token) == refusal, token
        assert await client.join(nhf.topic, nhf.token()) == JOINED
        assert await client.join(hlf.topic, hlf.token()) == JOINED
    for token in (None, stack.secret_key, stack.service_role_key):
        async with phoenix(stack, vsn, key=stack.secret_key) as client:
            assert await client.join(nhf.topic, token) == JOINED


async def test_inactive_members_are_members_no_more(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    async with phoenix(stack) as client:
        db.execute("update profiles set is_active = false where id = %s", [nhf.member_id])
        try:
            answer = await client.join(nhf.topic, nhf.token())
        finally:
            db.execute("update profiles set is_active = true where id = %s", [nhf.member_id])
        assert answer["response"]["reason"].startswith("Unauthorized: ")
        assert await client.join(nhf.topic, nhf.token()) == JOINED


@pytest.mark.parametrize("private", [True, False])
async def test_an_invalid_token_is_refused(stack: Stack, nhf: Organization, *, private: bool) -> None:
    claims = jwt.decode(nhf.token(), options={"verify_signature": False})
    async with phoenix(stack) as client:
        for token, reason in (
            (jwt.encode(claims, "", algorithm="none"), SIGNER),
            (jwt.encode(claims, stack.jwt_secret, algorithm="HS512"), SIGNER),
            (nhf.token(secret=OTHER_SECRET), SIGNATURE),
            (f"{nhf.token()[:-8]}AAAAAAAA", SIGNATURE),
            (nhf.token(exp=None), CLAIMS_MISSING),
            (nhf.token(role=None), CLAIMS_MISSING),
            (nhf.token(aud="others"), "InvalidJWTToken: Claim aud is not valid"),
            (nhf.token(nbf=int(claims["exp"])), "InvalidJWTToken: Claim nbf is not valid"),
            ("nonsense", MALFORMED),
        ):
            assert await client.join(nhf.topic, token, private=private) == refused(reason)
        answer = await client.join(nhf.topic, nhf.token(seconds=-100), private=private)
        reason = answer["response"]["reason"]
        assert re.fullmatch("InvalidJWTToken: Token has expired 10[012] seconds ago", reason)
        assert answer == refused(reason)
        assert await client.join(nhf.topic, nhf.token(), private=private) == JOINED


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_a_channel_ends_with_its_token_which_a_new_one_prolongs(
    stack: Stack, nhf: Organization, vsn: str
) -> None:
    topic, end = f"realtime:{nhf.topic}", int(time.time()) + 4
    async with phoenix(stack, vsn) as client:
        assert await client.join(nhf.topic, nhf.token(exp=end - 2)) == JOINED
        # What is no new token changes nothing.
        for token in (nhf.token(exp=end), stack.publishable_key, None):
            await client.send(topic, "access_token", {"access_token": token})
        *head, system = await client.receive()
        assert time.time() >= end
        assert head == ["1", None, topic, "system"]
        assert re.fullmatch(r"Token has expired \d seconds ago", system.pop("message"))
        assert system == {"extension": "system", "status": "error", "channel": nhf.topic}
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.ask(topic, "access_token", {}) == refused("unmatched topic")


async def test_a_token_that_lets_nobody_in_ends_the_channel(
    stack: Stack, nhf: Organization, hlf: Organization
) -> None:
    topic = f"realtime:{nhf.topic}"
    for token, message in (
        (hlf.token(), no_permission(nhf.topic)),
        (nhf.token(secret=OTHER_SECRET), SIGNATURE.partition(": ")[2]),
        ("nonsense", MALFORMED.partition(": ")[2]),
    ):
        async with phoenix(stack) as client:
            assert await client.join(nhf.topic, nhf.token()) == JOINED
            await client.send(topic, "access_token", {"access_token": token})
            system = {"extension": "system", "status": "error", "message": message, "channel": nhf.topic}
            assert await client.receive() == ["1", None, topic, "system", system]
            assert await client.receive() == ["1", "1", topic, "phx_close", {}]


async def test_without_a_database_a_join_is_refused_for_now(stack: Stack, nhf: Organization) -> None:
    reason = "UnableToConnectToProject: Realtime was unable to connect to the project database"
    async with phoenix(stack) as client:
        stack.stop_postgres(immediate=True)
        try:
            assert await client.join(nhf.topic, nhf.token()) == refused(reason)
        finally:
            stack.start_postgres()
        assert await client.join(nhf.topic, nhf.token()) == JOINED


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_messages_that_lead_nowhere_are_answered(stack: Stack, nhf: Organization, vsn: str) -> None:
    topic, unmatched = f"realtime:{nhf.topic}", refused("unmatched topic")
    presence = refused("PresenceNotSupported: Presence is not in the local stack")
    changes = [{"event": "INSERT", "schema": "public", "table": "activities"}]
    no_changes = "PostgresChangesNotSupported: The local stack has broadcasts only; use realtime.send()"
    async with phoenix(stack, vsn) as client:
        await client.send("phoenix", "heartbeat", {}, ref=None)
        assert await client.receive() == [None, None, "phoenix", "phx_reply", OK]
        assert await client.ask("phoenix", "other", {}) == unmatched
        assert await client.ask("room", "phx_join", {"access_token": nhf.token()}) == unmatched
        no_name = refused("TopicNameRequired: You must provide a topic name")
        assert await client.join("", nhf.token()) == no_name
        assert await client.join(nhf.topic, nhf.token(), postgres_changes=changes) == refused(no_changes)

        asked: dict[str, Any] = {"presence": {"enabled": True}, "postgres_changes": []}
        assert await client.join(nhf.topic, nhf.token(), **asked) == JOINED
        assert await client.receive() == ["1", None, topic, "presence_state", {}]
        assert await client.ask(topic, "presence", {"event": "track", "payload": {}}) == presence
        assert await client.ask(topic, "other", {}) == refused("unmatched event")
        assert await client.ask(topic, "phx_leave", {}) == OK
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.ask(topic, "other", {}) == unmatched


async def test_joining_again_ends_the_first_join(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    topic = f"realtime:{nhf.topic}"
    join = {"config": {"private": True}, "access_token": nhf.token()}
    async with phoenix(stack) as client:
        assert await client.ask(topic, "phx_join", join) == JOINED
        await client.send(topic, "phx_join", join, ref="2")
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.receive() == ["2", "2", topic, "phx_reply", JOINED]
        nhf.broadcast(db, "once")
        assert (await client.receive())[0] == "2"
        assert await client.ask("phoenix", "heartbeat", {}) == OK


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "null",
        "[]",
        '{"topic": "phoenix", "event": "heartbeat", "payload": []}',
        '{"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": 1}',
        json.dumps({"x": "x" * 256 * 1024}),
    ],
    ids=["not-json", "not-a-message", "other-version", "payload", "ref", "too-large"],
)
async def test_a_frame_outside_the_protocol_closes_the_socket(stack: Stack, frame: str) -> None:
    async with phoenix(stack) as client:
        assert await client.ask("phoenix", "heartbeat", {"x": "x" * 250 * 1024}) == OK
        await client.socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.socket.recv(), WAIT_SECONDS)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == (1009 if len(frame) > 1000 else 1007)


async def test_the_log_holds_neither_tokens_nor_people(stack: Stack, nhf: Organization) -> None:
    async with phoenix(stack) as client:
        assert await client.join(nhf.topic, None) != JOINED
        assert await client.join(nhf.topic, nhf.token()) == JOINED
    log = (stack.instance.logs / "gateway.log").read_text(encoding="utf-8")
    assert '"event":"realtime_join_refused","code":"Unauthorized"' in log
    assert '"event":"realtime_joined","private":true' in log
    for secret in ("eyJ", "sb_publishable_", "sb_secret_", nhf.member_id, nhf.topic, stack.jwt_secret):
        assert secret not in log
