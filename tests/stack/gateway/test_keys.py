"""Keys → roles, and who gets in at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from tests.stack.gateway.processes import (
    ANON_KEY,
    JWT_SECRET,
    PUBLISHABLE_KEY,
    SECRET_KEY,
    SERVICE_ROLE_KEY,
    Upstream,
)

if TYPE_CHECKING:
    import httpx

USER_TOKEN = jwt.encode({"role": "authenticated", "sub": "someone"}, JWT_SECRET)
OTHER_TOKEN = jwt.encode({"role": "anon", "other": True}, JWT_SECRET)
MISSING_KEY = {
    "message": "No API key found in request",
    "hint": "No `apikey` request header or url param was found.",
}
INVALID_KEY = {"message": "Invalid API key", "hint": "Double check your Supabase `apikey`"}


@pytest.mark.parametrize(
    ("apikey", "authorization", "token"),
    [
        pytest.param(PUBLISHABLE_KEY, None, ANON_KEY, id="publishable-is-anon"),
        pytest.param(ANON_KEY, None, ANON_KEY, id="legacy-anon"),
        pytest.param(SECRET_KEY, None, SERVICE_ROLE_KEY, id="secret-is-service-role"),
        pytest.param(SERVICE_ROLE_KEY, None, SERVICE_ROLE_KEY, id="legacy-service-role"),
        pytest.param(PUBLISHABLE_KEY, f"Bearer {PUBLISHABLE_KEY}", ANON_KEY, id="publishable-twice"),
        pytest.param(SECRET_KEY, f"Bearer {SECRET_KEY}", SERVICE_ROLE_KEY, id="secret-twice"),
        pytest.param(PUBLISHABLE_KEY, f"Bearer {SECRET_KEY}", ANON_KEY, id="key-as-bearer-adds-nothing"),
        pytest.param(PUBLISHABLE_KEY, f"Bearer {USER_TOKEN}", USER_TOKEN, id="user-outranks-publishable"),
        pytest.param(SECRET_KEY, f"bearer {USER_TOKEN}", USER_TOKEN, id="user-outranks-secret"),
        pytest.param(PUBLISHABLE_KEY, "Basic eA==", ANON_KEY, id="not-a-bearer"),
    ],
)
def test_key_becomes_the_token_of_its_role(
    http: httpx.Client, upstream: Upstream, apikey: str, authorization: str | None, token: str
) -> None:
    headers = {"apikey": apikey} | ({"authorization": authorization} if authorization else {})
    assert http.get("/rest/v1/units", headers=headers).status_code == 200
    assert upstream.last().header("authorization") == f"Bearer {token}"
    assert upstream.last().header("apikey") is None


@pytest.mark.parametrize("name", ["apikey", "%61pikey", "api%6Bey"])
def test_key_may_come_in_the_query_and_stays_out_of_the_filters(
    http: httpx.Client, upstream: Upstream, name: str
) -> None:
    assert http.get(f"/rest/v1/units?{name}={SECRET_KEY}&limit=1").status_code == 200
    assert upstream.last().header("authorization") == f"Bearer {SERVICE_ROLE_KEY}"
    assert upstream.last().target == "/units?limit=1"


@pytest.mark.parametrize("path", ["/rest/v1/units", "/rest/v1/", "/auth/v1/user", "/auth/v1/health"])
def test_refuses_what_is_not_a_key(http: httpx.Client, upstream: Upstream, path: str) -> None:
    for headers, body in (
        ({}, MISSING_KEY),
        ({"authorization": f"Bearer {USER_TOKEN}"}, MISSING_KEY),
        ({"authorization": f"Bearer {SECRET_KEY}"}, MISSING_KEY),
        ({"apikey": "sb_secret_guess"}, INVALID_KEY),
        ({"apikey": PUBLISHABLE_KEY[:-1]}, INVALID_KEY),
        ({"apikey": OTHER_TOKEN}, INVALID_KEY),
        ({"apikey": USER_TOKEN}, INVALID_KEY),
    ):
        answer = http.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, body), headers
        assert answer.headers["access-control-allow-origin"] == "*"
    assert upstream.received == []


def test_secret_key_is_refused_in_a_browser(http: httpx.Client, upstream: Upstream) -> None:
    browser = {"user-agent": "Mozilla/5.0 (X11)"}
    refused = http.get("/rest/v1/units", headers={"apikey": SECRET_KEY, **browser})
    assert refused.status_code == 401
    assert refused.json()["message"] == "Forbidden use of secret API key in browser"
    assert upstream.received == []
    assert http.get("/rest/v1/units", headers={"apikey": PUBLISHABLE_KEY, **browser}).status_code == 200


def test_public_keys_of_the_tokens_need_no_api_key(http: httpx.Client) -> None:
    answer = http.get("/auth/v1/.well-known/jwks.json")
    assert (answer.status_code, answer.json()) == (200, {"keys": []})  # HS256: there is nothing public
