from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from _shared.database.client import make_http_client
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import make_settings, make_user

if TYPE_CHECKING:
    import respx

    from _shared.database import Database


REST = "http://supabase.test/rest/v1"


# what PostgREST or a gateway answers → what it means when we act for ourselves, and for a user
FAILURES = [
    pytest.param(
        httpx.Response(503, json={"code": "PGRST001"}), "upstream_unavailable", None, id="no-database"
    ),
    pytest.param((503, "<html>"), "upstream_unavailable", None, id="gateway-503"),
    pytest.param((502, {"error": {}}), "upstream_unavailable", None, id="gateway-502"),
    pytest.param(
        httpx.Response(500, json={"code": "PGRST002"}), "upstream_unavailable", None, id="no-schema"
    ),
    pytest.param(
        httpx.Response(500, json={"code": "57P01"}), "upstream_unavailable", None, id="shutting-down"
    ),
    pytest.param((500, {"code": "53300"}), "upstream_unavailable", None, id="too-many"),
    pytest.param((400, {"code": "", "message": ""}), "upstream_unavailable", None, id="crashed"),
    pytest.param((503, {"code": "PGRST001"}), "upstream_unavailable", None, id="crashed-hosted"),
    pytest.param((503, {"code": "57P01"}), "upstream_unavailable", None, id="shutting-down-hosted"),
    pytest.param((503, {"code": "53400"}), "upstream_unavailable", None, id="limit"),
    pytest.param((500, {"code": "53400"}), "upstream_unavailable", None, id="limit-hosted"),
    pytest.param((500, {"code": "08006"}), "upstream_unavailable", None, id="lost"),
    pytest.param(
        httpx.Response(504, json={"code": "PGRST003"}), "upstream_timeout", None, id="pool-exhausted"
    ),
    pytest.param(
        httpx.Response(500, json={"code": "57014"}), "upstream_timeout", None, id="statement-timeout"
    ),
    pytest.param(
        httpx.Response(401, json={"message": "Invalid API key"}), "internal", "unauthorized", id="key"
    ),
    pytest.param((401, {"code": "PGRST301"}), "internal", "unauthorized", id="expired"),
    pytest.param((401, {"code": "PGRST303"}), "internal", "unauthorized", id="expired-hosted"),
    pytest.param((403, {"code": "42501"}), "internal", "forbidden", id="no-grant"),
    pytest.param((404, {"code": "PGRST202"}), "internal", None, id="not-migrated"),
    pytest.param((404, {"code": "42P01"}), "internal", None, id="no-table"),
    pytest.param((404, {"code": "PGRST205"}), "internal", None, id="no-table-hosted"),
    pytest.param((404, {}), "internal", None, id="no-path"),
    pytest.param((404, {"code": "PGRST125"}), "internal", None, id="no-path-hosted"),
    pytest.param((400, {"code": "P0001"}), "internal", None, id="raised"),
    pytest.param((400, {"message": "no code"}), "internal", None, id="no-code"),
    pytest.param((429, {"code": "rate_limited"}), "rate_limited", None, id="limited"),
    pytest.param(httpx.ConnectError("x"), "upstream_unavailable", None, id="refused"),
    pytest.param(httpx.ConnectTimeout("x"), "upstream_unavailable", None, id="connect-timeout"),
    pytest.param(httpx.RemoteProtocolError("x"), "upstream_unavailable", None, id="hung-up"),
    pytest.param(httpx.ReadTimeout("x"), "upstream_timeout", None, id="read-timeout"),
    pytest.param(httpx.PoolTimeout("x"), "upstream_timeout", None, id="pool-timeout"),
]


@pytest.mark.parametrize(("failure", "service_code", "user_code"), FAILURES)
async def test_each_failure_has_one_meaning(
    database: Database, rest: respx.Router, failure: Any, service_code: str, user_code: str | None
) -> None:
    if isinstance(failure, tuple):
        status, body = failure
        failure = httpx.Response(status, **{"text" if isinstance(body, str) else "json": body})
    rpc = rest.post(path__startswith="/rest/v1/rpc/").mock(side_effect=[failure] * 4)
    for answer in (
        await database.refresh_stats_views(),
        await database.claim_webhook("msg_1"),
        await database.get_health(),
    ):
        assert isinstance(answer, Err)
        assert answer.code == service_code
        assert answer.cause
    role = await database.get_role(make_user())
    assert isinstance(role, Err)
    assert role.code == (user_code or service_code)
    assert rpc.call_count == 4  # nothing is retried behind the caller's back


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note what is waited for instead of waiting."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr("asyncio.sleep", note)
    return noted


TOO_EARLY = httpx.Response(401, json={"code": "PGRST303", "message": "JWT issued at future"})
EXPIRED = httpx.Response(401, json={"code": "PGRST303", "message": "JWT expired"})
ROLE = httpx.Response(200, json="coordinator")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([TOO_EARLY, ROLE], (Ok("coordinator"), [1.0]), id="once"),
        pytest.param(
            [TOO_EARLY, TOO_EARLY, ROLE], (Err(ErrorCode.UNAUTHORIZED, cause="HTTP 401"), [1.0]), id="twice"
        ),
        pytest.param([EXPIRED, ROLE], (Err(ErrorCode.UNAUTHORIZED, cause="HTTP 401"), []), id="expired"),
    ],
)
async def test_a_token_from_the_future_is_sent_once_more_after_a_moment(
    database: Database,
    rest: respx.Router,
    pauses: list[float],
    answers: list[httpx.Response],
    expected: Any,
) -> None:
    rest.post("/rest/v1/rpc/get_role").mock(side_effect=answers)
    assert (await database.get_role(make_user()), pauses) == expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "17"}, 17), ({}, 1), ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1)],
)
async def test_a_refusal_for_now_says_when_to_come_again(
    database: Database, rest: respx.Router, headers: dict[str, str], seconds: int
) -> None:
    refused = httpx.Response(429, json={"code": "rate_limited"}, headers=headers)
    rest.post(path__startswith="/rest/v1/rpc/").mock(side_effect=[refused])
    expected = Err(ErrorCode.RATE_LIMITED, cause="rate_limited", retry_after_seconds=seconds)
    assert await database.take_refresh_turn(make_user()) == expected


def test_the_http_client_is_bounded_and_speaks_http_1() -> None:
    http = make_http_client(make_settings(FERSK_UPSTREAM_TIMEOUT_SECONDS=3))
    assert http.timeout == httpx.Timeout(3, connect=2, pool=2)
    assert http.trust_env is False
    pool = http._transport._pool  # type: ignore[attr-defined]
    assert (pool._http1, pool._http2, pool._max_connections) == (True, False, 16)
