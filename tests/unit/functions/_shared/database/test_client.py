from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from _shared import network
from _shared.database import Database, client
from _shared.network import Network
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import make_settings, make_user
from tests.support.upstream import HalfAnswer, HangUp, never, until, upstream

if TYPE_CHECKING:
    import respx


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
    pytest.param((302, ""), "internal", None, id="redirected"),
    pytest.param(HangUp(), "upstream_unavailable", None, id="hung-up"),
    pytest.param(HalfAnswer(), "upstream_unavailable", None, id="hung-up-in-the-middle"),
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


TOO_EARLY = httpx.Response(401, json={"code": "PGRST303", "message": "JWT issued at future"})
EXPIRED = httpx.Response(401, json={"code": "PGRST303", "message": "JWT expired"})
ROLE = httpx.Response(200, json="coordinator")
REFUSED = Err(ErrorCode.UNAUTHORIZED, cause="HTTP 401")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([TOO_EARLY, ROLE], (Ok("coordinator"), 2), id="once"),
        pytest.param([TOO_EARLY, TOO_EARLY, ROLE], (REFUSED, 2), id="twice"),
        pytest.param([EXPIRED, ROLE], (REFUSED, 1), id="expired"),
    ],
)
async def test_a_token_from_the_future_is_sent_once_more_after_a_moment(
    database: Database,
    rest: respx.Router,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[httpx.Response],
    expected: tuple[object, int],
) -> None:
    monkeypatch.setattr(client, "MOMENT_SECONDS", 0)
    rpc = rest.post("/rest/v1/rpc/get_role").mock(side_effect=answers)
    assert (await database.get_role(make_user()), rpc.call_count) == expected


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


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with upstream(never) as server:
        url = server.url
    away = Database(make_settings(SUPABASE_URL=url), Network(seconds=8))
    assert await away.get_health() == Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="ConnectError")


async def test_a_server_that_takes_no_connection_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "CONNECT_SECONDS", timedelta(seconds=0.1))
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        full = [socket.socket() for _ in range(8)]  # the kernel leaves further ones without an answer
        for each in full:
            each.setblocking(False)  # noqa: FBT003
            each.connect_ex(address)
        away = Database(make_settings(SUPABASE_URL=f"http://127.0.0.1:{address[1]}"), Network(seconds=8))
        assert await away.get_health() == Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="ConnectTimeoutError")
        for each in full:
            each.close()


async def test_a_server_that_does_not_answer_in_time_is_slow() -> None:
    async with upstream(never) as server:
        slow = Database(make_settings(SUPABASE_URL=server.url), Network(seconds=0.1))
        assert await slow.get_health() == Err(ErrorCode.UPSTREAM_TIMEOUT, cause="TimeoutError")


async def test_waiting_for_a_connection_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "POOL_SECONDS", timedelta(seconds=0.1))
    async with upstream(never) as server:
        database = Database(make_settings(SUPABASE_URL=server.url), Network(seconds=8))
        held = [asyncio.ensure_future(database.get_health()) for _ in range(network.CONNECTIONS)]
        await until(lambda: server.accepted == network.CONNECTIONS)
        waited = await database.get_health()
        assert waited == Err(ErrorCode.UPSTREAM_TIMEOUT, cause="PoolTimeoutError")
        assert server.accepted == network.CONNECTIONS
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)
