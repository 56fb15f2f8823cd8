from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from _shared.http.auth import LEEWAY_SECONDS, Authenticator
from _shared.http.keys import (
    FIRST_RETRY_SECONDS,
    MAX_AGE_SECONDS,
    MAX_BYTES,
    MIN_REFETCH_SECONDS,
    KeySet,
)
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import JWT_SECRET, make_settings, make_token

JWKS_URL = "https://auth.test/jwks.json"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, key_id: str) -> dict[str, Any]:
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    algorithm = jwt.get_algorithm_by_name("RS256" if is_rsa else "ES256")
    public = algorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id, "alg": "RS256" if is_rsa else "ES256"}


class AuthServer:
    """Answers for the JWKS address once it is `awake`, and counts how often it was asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.is_down = False
        self.body: bytes | None = None
        self.asked = 0
        self.awake = asyncio.Event()
        self.awake.set()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await self.awake.wait()
        if self.is_down:
            raise httpx.ConnectError("down", request=request)
        if self.body is not None:
            return httpx.Response(200, content=self.body)
        return httpx.Response(200, json={"keys": self.keys})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def code_of(verifier: Authenticator, token: str) -> ErrorCode | None:
    result = await verifier.verify_token(token)
    return result.code if isinstance(result, Err) else None


@pytest.fixture
def verifier() -> Authenticator:
    """Knows the project's secret only."""
    return Authenticator(make_settings(), AuthServer().client())


@pytest.fixture
def auth_server() -> AuthServer:
    return AuthServer(jwk(EC_KEY, "ec-1"), jwk(RSA_KEY, "rsa-1"))


@pytest.fixture
def jwks_verifier(auth_server: AuthServer) -> Authenticator:
    """Knows the secret and the public keys, as during Supabase's migration from one to the other."""
    return Authenticator(make_settings(SUPABASE_JWKS_URL=JWKS_URL), auth_server.client())


async def test_a_users_token_tells_the_user(verifier: Authenticator) -> None:
    user_id = uuid4()
    token = make_token(sub=str(user_id))
    result = await verifier.verify_token(token)
    assert isinstance(result, Ok)
    assert result.value.id == user_id
    assert result.value.token.get_secret_value() == token
    assert token not in repr(result)


@pytest.mark.parametrize(
    "metadata", [{}, None, [], 5, {"org_id": 5}, {"org_id": "x"}, {"org_id": None}, {"org_id": []}], ids=repr
)
async def test_a_token_that_names_no_organisation_names_none(
    verifier: Authenticator, metadata: object
) -> None:
    found = await verifier.verify_token(make_token(app_metadata=metadata))
    assert isinstance(found, Ok)
    assert found.value.organization_id is None
    named = await verifier.verify_token(make_token(app_metadata={"org_id": str(UUID(int=5))}))
    assert isinstance(named, Ok)
    assert named.value.organization_id == UUID(int=5)


async def test_clocks_may_differ_by_the_leeway(verifier: Authenticator) -> None:
    just_expired = int(time.time()) - LEEWAY_SECONDS // 2
    assert await code_of(verifier, make_token(exp=just_expired)) is None
    assert await code_of(verifier, make_token(iat=int(time.time()) + LEEWAY_SECONDS // 2)) is None


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("not-a-token", id="not-a-token"),
        pytest.param("a.b.c", id="three-parts-of-nothing"),
        pytest.param(make_token(exp=int(time.time()) - LEEWAY_SECONDS - 5), id="expired"),
        pytest.param(make_token(iat=int(time.time()) + 3600), id="from-the-future"),
        pytest.param(make_token("another-secret-0123456789-0123456789"), id="foreign-secret"),
        pytest.param(make_token(alg="none", secret=""), id="unsigned"),
        pytest.param(make_token(alg="HS512"), id="another-algorithm"),
        pytest.param(make_token(aud="anon"), id="another-audience"),
        pytest.param(make_token(aud=None), id="no-audience"),
        pytest.param(make_token(exp=None), id="never-expires"),
        pytest.param(make_token(sub=None), id="nobody"),
        pytest.param(make_token(sub="kari"), id="subject-is-no-id"),
        pytest.param(make_token(role="service_role"), id="role-of-a-key"),
        pytest.param(make_token(role="anon", aud=None, sub=None), id="legacy-anon-key"),
        pytest.param(make_token(role=None), id="no-role"),
        pytest.param(make_token()[:-4] + "AAAA", id="tampered-signature"),
    ],
)
async def test_any_other_token_is_unauthorized(verifier: Authenticator, token: str) -> None:
    assert await code_of(verifier, token) is ErrorCode.UNAUTHORIZED


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(".".join))
async def test_no_token_whatsoever_raises(token: str) -> None:
    verifier = Authenticator(make_settings(), AuthServer().client())
    assert await code_of(verifier, token) is ErrorCode.UNAUTHORIZED


async def test_tokens_of_both_public_key_types_are_verified(jwks_verifier: Authenticator) -> None:
    assert await code_of(jwks_verifier, make_token(alg="ES256", key=EC_KEY, kid="ec-1")) is None
    assert await code_of(jwks_verifier, make_token(alg="RS256", key=RSA_KEY, kid="rsa-1")) is None
    assert await code_of(jwks_verifier, make_token()) is None


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(make_token(alg="ES256", key=OTHER_EC_KEY, kid="ec-1"), id="foreign-key-known-id"),
        pytest.param(make_token(alg="ES256", key=EC_KEY, kid="ec-2"), id="unknown-id"),
        pytest.param(make_token(alg="ES256", key=EC_KEY), id="no-id"),
        pytest.param(make_token(alg="RS256", key=RSA_KEY, kid="ec-1"), id="algorithm-of-another-key"),
        pytest.param(make_token(alg="ES256", key=EC_KEY, kid="ec-1", exp=1), id="expired"),
    ],
)
async def test_other_public_key_tokens_are_unauthorized(jwks_verifier: Authenticator, token: str) -> None:
    assert await code_of(jwks_verifier, token) is ErrorCode.UNAUTHORIZED


async def test_a_public_key_is_no_secret_to_sign_with(jwks_verifier: Authenticator) -> None:
    pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # PyJWT's encode refuses to sign with a PEM; an attacker would not use it.
    forged = forge_hs256(pem, kid="rsa-1")
    assert await code_of(jwks_verifier, forged) is ErrorCode.UNAUTHORIZED
    assert await code_of(jwks_verifier, forge_hs256(JWT_SECRET.encode(), kid="rsa-1")) is None


def forge_hs256(secret: bytes, kid: str) -> str:
    unsigned = make_token(kid=kid).rpartition(".")[0]
    hmac = jwt.get_algorithm_by_name("HS256")
    signature = hmac.sign(unsigned.encode(), secret)
    return f"{unsigned}.{jwt.utils.base64url_encode(signature).decode()}"


async def test_public_key_tokens_need_a_jwks_address(verifier: Authenticator) -> None:
    token = make_token(alg="ES256", key=EC_KEY, kid="ec-1")
    assert await code_of(verifier, token) is ErrorCode.UNAUTHORIZED


async def test_secret_tokens_need_a_secret(auth_server: AuthServer) -> None:
    settings = make_settings(SUPABASE_JWT_SECRET=None, SUPABASE_JWKS_URL=JWKS_URL)
    verifier = Authenticator(settings, auth_server.client())
    assert await code_of(verifier, make_token()) is ErrorCode.UNAUTHORIZED
    assert await code_of(verifier, make_token(alg="ES256", key=EC_KEY, kid="ec-1")) is None


async def test_keys_are_fetched_once_and_again_when_old(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    for _ in range(3):
        assert found(await keys.find("ec-1"))
    assert auth_server.asked == 1
    clock.now += MAX_AGE_SECONDS + 1
    assert found(await keys.find("ec-1"))
    assert auth_server.asked == 2


async def test_a_new_key_is_found_but_made_up_ids_do_not_hammer(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    assert not found(await keys.find("ec-2"))
    auth_server.keys.append(jwk(OTHER_EC_KEY, "ec-2"))
    assert not found(await keys.find("ec-2"))
    assert not found(await keys.find("made-up"))
    assert auth_server.asked == 1
    clock.now += MIN_REFETCH_SECONDS
    assert found(await keys.find("ec-2"))
    assert auth_server.asked == 2


async def test_with_the_auth_server_away_known_keys_stay_good(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    assert found(await keys.find("ec-1"))
    auth_server.is_down = True
    clock.now += MAX_AGE_SECONDS + 1
    assert found(await keys.find("ec-1"))
    clock.now += MIN_REFETCH_SECONDS
    assert await keys.find("ec-2") == Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="keys: ConnectError")


UNAVAILABLE = ErrorCode.UPSTREAM_UNAVAILABLE
STRANGE = {
    "html": b"<html>",
    "list": b"[]",
    "none": b"{}",
    "number": b'{"keys": 1}',
    "numbers": b'{"keys": [1]}',
    "wrong-kind": b'{"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "x": 5, "y": 5}]}',
    "deep": b"[" * 60_000,
    "too-large": b" " * MAX_BYTES + b'{"keys": []}',
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
async def test_a_strange_answer_is_no_key_set(auth_server: AuthServer, body: bytes) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    auth_server.body = body
    assert (await keys.find("ec-1")).code is UNAVAILABLE  # type: ignore[union-attr]
    auth_server.body = None
    clock.now += FIRST_RETRY_SECONDS
    assert found(await keys.find("ec-1"))


async def test_a_server_that_was_never_reached_is_asked_after_growing_pauses(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    auth_server.is_down = True
    away = Err(UNAVAILABLE, cause="keys: ConnectError")
    asked = 0
    for pause in (1, 2, 4, 8, 16, 30, 30):
        for number in range(20):
            assert await keys.find(f"made-up-{number}") == await keys.find("ec-1") == away
        asked += 1
        assert auth_server.asked == asked
        clock.now += pause - 0.5
        assert await keys.find("ec-1") == away
        assert auth_server.asked == asked
        clock.now += 0.5
    auth_server.is_down = False
    assert found(await keys.find("ec-1"))
    auth_server.is_down = True
    clock.now += MAX_AGE_SECONDS + 1
    for _ in range(2):
        assert (await keys.find("made-up")).code is UNAVAILABLE  # type: ignore[union-attr]
        clock.now += FIRST_RETRY_SECONDS  # the pauses begin anew
    assert auth_server.asked == asked + 3


async def test_known_keys_do_not_wait_for_made_up_ones(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock)
    assert found(await keys.find("ec-1"))
    clock.now += MIN_REFETCH_SECONDS
    auth_server.awake.clear()
    waiting = [asyncio.create_task(keys.find(f"made-up-{number}")) for number in range(20)]
    await asyncio.sleep(0)
    assert found(await asyncio.wait_for(keys.find("ec-1"), timeout=1))
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()  # who gives up cancels it for nobody else
    auth_server.keys.append(jwk(OTHER_EC_KEY, "made-up-7"))
    auth_server.awake.set()
    results = await asyncio.gather(*waiting[1:])
    assert [found(result) for result in results].count(True) == 1
    assert auth_server.asked == 2


async def test_known_keys_wait_for_a_silent_server_once(auth_server: AuthServer) -> None:
    clock = Clock()
    keys = KeySet(JWKS_URL, auth_server.client(), clock, fetch_seconds=0.05)
    assert found(await keys.find("ec-1"))
    auth_server.awake.clear()
    clock.now += MAX_AGE_SECONDS + 1
    assert found(await keys.find("ec-1"))
    assert (await keys.find("ec-2")).code is UNAVAILABLE  # type: ignore[union-attr]
    clock.now += FIRST_RETRY_SECONDS
    keys._fetch_seconds = 60
    assert found(await asyncio.wait_for(keys.find("ec-1"), timeout=30))  # the next try goes on behind it
    auth_server.keys = [jwk(OTHER_EC_KEY, "ec-2")]
    auth_server.awake.set()
    assert found(await keys.find("ec-2"))  # which joins that try
    assert auth_server.asked == 3
    assert not found(await keys.find("ec-1"))  # and what was withdrawn is no longer good


async def test_a_secret_in_a_public_key_set_is_ignored() -> None:
    server = AuthServer({"kty": "oct", "k": "c2VjcmV0", "kid": "oct-1", "alg": "HS256"}, jwk(EC_KEY, "ec-1"))
    keys = KeySet(JWKS_URL, server.client())
    assert not found(await keys.find("oct-1"))
    assert found(await keys.find("ec-1"))


def found(result: Any) -> bool:
    assert isinstance(result, Ok)
    return result.value is not None
