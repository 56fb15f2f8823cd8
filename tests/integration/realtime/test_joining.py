"""Who gets in: keys open the socket, tokens and policies a private channel. Replies are those of Supabase."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.realtime.support import (
    JOINED,
    VERSIONS,
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


async def refused_handshake(url: str) -> tuple[int, Any]:
    with pytest.raises(InvalidStatus) as handshake:
        async with connect(url):
            pass
    response = handshake.value.response
    return response.status_code, json.loads(response.body or b"")


@pytest.mark.parametrize("vsn", VERSIONS)
@pytest.mark.parametrize("key", ["publishable_key", "secret_key", "anon_key", "service_role_key"])
async def test_each_key_opens_a_socket(stack: Stack, key: str, vsn: str) -> None:
    async with phoenix(stack, vsn, key=getattr(stack, key)) as client:
        assert await client.ask("phoenix", "heartbeat", {}) == {"status": "ok", "response": {}}


async def test_no_other_key_does(stack: Stack, nhf: Organization) -> None:
    assert await refused_handshake(websocket_url(stack, None)) == (401, NO_KEY)
    for key in ("guess", nhf.token(), stack.publishable_key[:-1]):
        assert await refused_handshake(websocket_url(stack, key)) == (401, INVALID_KEY)


async def test_unknown_protocol_version_is_refused(stack: Stack) -> None:
    body = {"message": "Unknown protocol version", "hint": "vsn is 1.0.0 or 2.0.0"}
    assert await refused_handshake(websocket_url(stack, stack.publishable_key, "3.0.0")) == (400, body)
    async with connect(websocket_url(stack, stack.publishable_key, None)):
        pass  # without one it is 1.0.0


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_members_join_and_the_secret_key_may_too(stack: Stack, nhf: Organization, vsn: str) -> None:
    async with phoenix(stack, vsn) as client:
        assert await client.join(nhf.topic, nhf.token()) == JOINED
    for token in (None, stack.secret_key, stack.service_role_key):
        async with phoenix(stack, vsn, key=stack.secret_key) as client:
            assert await client.join(nhf.topic, token) == JOINED


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_nobody_else_joins_a_private_channel(
    stack: Stack, nhf: Organization, hlf: Organization, vsn: str
) -> None:
    refusal = refused(
        f"Unauthorized: You do not have permissions to read from this Channel topic: {nhf.topic}"
    )
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
    signature = "JwtSignatureError: Failed to validate JWT signature"
    claims_missing = "InvalidJWTToken: Fields `role` and `exp` are required in JWT"
    async with phoenix(stack) as client:
        for token, reason in (
            (jwt.encode(claims, "", algorithm="none"), SIGNER),
            (jwt.encode(claims, stack.jwt_secret, algorithm="HS512"), SIGNER),
            (nhf.token(secret="another-secret-another-secret-another"), signature),
            (f"{nhf.token()[:-8]}AAAAAAAA", signature),
            (nhf.token(exp=None), claims_missing),
            (nhf.token(role=None), claims_missing),
            (nhf.token(aud="others"), "InvalidJWTToken: Claim aud is not valid"),
            (nhf.token(nbf=int(claims["exp"])), "InvalidJWTToken: Claim nbf is not valid"),
            ("a.b.c", MALFORMED),
            ("nonsense", MALFORMED),
        ):
            assert await client.join(nhf.topic, token, private=private) == refused(reason)
        assert await client.join(nhf.topic, nhf.token(), private=private) == JOINED


async def test_an_expired_token_is_refused(stack: Stack, nhf: Organization) -> None:
    async with phoenix(stack) as client:
        answer = await client.join(nhf.topic, nhf.token(seconds=-100))
        reason = answer["response"]["reason"]
        assert re.fullmatch("InvalidJWTToken: Token has expired 10[012] seconds ago", reason)
        assert answer == refused(reason)
        assert await client.join(nhf.topic, nhf.token(seconds=100)) == JOINED


@pytest.mark.parametrize("vsn", VERSIONS)
async def test_a_channel_ends_with_its_token(stack: Stack, nhf: Organization, vsn: str) -> None:
    topic = f"realtime:{nhf.topic}"
    async with phoenix(stack, vsn) as client:
        assert await client.join(nhf.topic, nhf.token(seconds=3)) == JOINED
        *head, system = await client.receive()
        assert head == ["1", None, topic, "system"]
        assert re.fullmatch(r"Token has expired \d seconds ago", system.pop("message"))
        assert system == {"extension": "system", "status": "error", "channel": nhf.topic}
        assert await client.receive() == ["1", "1", topic, "phx_close", {}]
        assert await client.ask(topic, "broadcast", {"event": "x"}) == refused("unmatched topic")


async def test_a_new_token_prolongs_the_channel(stack: Stack, nhf: Organization) -> None:
    topic = f"realtime:{nhf.topic}"
    end = int(time.time()) + 4
    async with phoenix(stack) as client:
        assert await client.join(nhf.topic, nhf.token(exp=end - 2)) == JOINED
        await client.send(topic, "access_token", {"access_token": nhf.token(exp=end)})
        # What is no new token changes nothing.
        await client.send(topic, "access_token", {"access_token": stack.publishable_key})
        await client.send(topic, "access_token", {"access_token": None})
        assert (await client.receive())[3] == "system"
        assert time.time() >= end


async def test_a_token_that_lets_nobody_in_ends_the_channel(
    stack: Stack, nhf: Organization, hlf: Organization
) -> None:
    topic = f"realtime:{nhf.topic}"
    no_permission = f"You do not have permissions to read from this Channel topic: {nhf.topic}"
    for token, message in (
        (hlf.token(), no_permission),
        (nhf.token(secret="another-secret-another-secret-another"), "Failed to validate JWT signature"),
        ("nonsense", "The token provided is not a valid JWT"),
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
