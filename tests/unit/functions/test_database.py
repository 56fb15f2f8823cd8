from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
import respx

from _shared.database import SupabaseDatabase
from _shared.rest import make_http_client
from _shared.result import Err, ErrorCode, Ok
from tests.unit.functions.fakes import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    make_health,
    make_profile,
    make_report,
    make_settings,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

REST = "http://supabase.test/rest/v1"


@pytest.fixture
def rest() -> Iterator[respx.Router]:
    """PostgREST, route by route; a request without a route fails the test."""
    router = respx.Router()
    yield router
    router.assert_all_called()


@pytest.fixture
def database(rest: respx.Router) -> SupabaseDatabase:
    settings = make_settings()
    transport = httpx.MockTransport(rest.async_handler)
    return SupabaseDatabase(settings, make_http_client(settings, transport))


async def test_refreshing_is_an_rpc_with_the_secret_key(
    database: SupabaseDatabase, rest: respx.Router
) -> None:
    report = make_report()
    route = rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=report.model_dump(mode="json"))
    assert await database.refresh_stats_views() == Ok(report)
    request = route.calls.last.request
    assert request.headers["apikey"] == SECRET_KEY
    assert request.headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert json.loads(request.content) == {}


async def test_durations_are_whole_milliseconds(database: SupabaseDatabase, rest: respx.Router) -> None:
    answer = make_report().model_dump(mode="json") | {"duration_ms": 41.6, "refreshed_at": None, "extra": 1}
    rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=answer)
    assert await database.refresh_stats_views() == Ok(make_report(duration_ms=42, refreshed_at=None))


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        pytest.param(True, Ok(value=True), id="new"),
        pytest.param(False, Ok(value=False), id="seen"),
        pytest.param(None, Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="null"),
        pytest.param("true", Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="text"),
        pytest.param([True], Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="list"),
    ],
)
async def test_a_claim_is_true_or_false_or_an_error(
    database: SupabaseDatabase, rest: respx.Router, answer: Any, result: Any
) -> None:
    route = rest.post(f"{REST}/rpc/claim_webhook").respond(json=answer)
    assert await database.claim_webhook("msg_1") == result
    assert json.loads(route.calls.last.request.content) == {"p_webhook_id": "msg_1"}


async def test_health_leaves_the_last_error_in_the_database(
    database: SupabaseDatabase, rest: respx.Router
) -> None:
    health = make_health(pending_changes=7, oldest_pending_seconds=3)
    answer = health.model_dump(mode="json") | {"last_error": "23505: duplicate key (kari)"}
    rest.post(f"{REST}/rpc/get_health").respond(json=answer)
    assert await database.get_health() == Ok(health)


async def test_a_profile_is_read_with_the_users_own_token(
    database: SupabaseDatabase, rest: respx.Router
) -> None:
    user, profile = make_user(), make_profile(role="org_admin")
    route = rest.get(f"{REST}/profiles").respond(json=[profile.model_dump(mode="json")])
    assert await database.get_profile(user) == Ok(profile)
    request = route.calls.last.request
    assert request.headers["apikey"] == PUBLISHABLE_KEY
    assert request.headers["authorization"] == f"Bearer {user.token.get_secret_value()}"
    assert dict(request.url.params) == {"select": "organization_id,role,is_active", "id": f"eq.{user.id}"}


async def test_users_do_not_get_each_others_tokens(database: SupabaseDatabase, rest: respx.Router) -> None:
    route = rest.get(f"{REST}/profiles").respond(json=[])
    kari, ola = make_user(), make_user(uuid4())
    for user in (kari, ola, kari):
        assert await database.get_profile(user) == Ok(None)
        token = route.calls.last.request.headers["authorization"]
        assert token == f"Bearer {user.token.get_secret_value()}"


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
    pytest.param(httpx.ConnectError("x"), "upstream_unavailable", None, id="refused"),
    pytest.param(httpx.ConnectTimeout("x"), "upstream_unavailable", None, id="connect-timeout"),
    pytest.param(httpx.RemoteProtocolError("x"), "upstream_unavailable", None, id="hung-up"),
    pytest.param(httpx.ReadTimeout("x"), "upstream_timeout", None, id="read-timeout"),
    pytest.param(httpx.PoolTimeout("x"), "upstream_timeout", None, id="pool-timeout"),
]


@pytest.mark.parametrize(("failure", "service_code", "user_code"), FAILURES)
async def test_each_failure_has_one_meaning(
    database: SupabaseDatabase, rest: respx.Router, failure: Any, service_code: str, user_code: str | None
) -> None:
    if isinstance(failure, tuple):
        status, body = failure
        failure = httpx.Response(status, **{"text" if isinstance(body, str) else "json": body})
    rpc = rest.post(path__startswith="/rest/v1/rpc/").mock(side_effect=[failure] * 3)
    table = rest.get(f"{REST}/profiles").mock(side_effect=[failure])
    for answer in (
        await database.refresh_stats_views(),
        await database.claim_webhook("msg_1"),
        await database.get_health(),
    ):
        assert isinstance(answer, Err)
        assert answer.code == service_code
        assert answer.cause
    profile = await database.get_profile(make_user())
    assert isinstance(profile, Err)
    assert profile.code == (user_code or service_code)
    assert (rpc.call_count, table.call_count) == (3, 1)  # nothing is retried behind the caller's back


@pytest.mark.parametrize("answer", [{}, None, [], {"outcome": "exploded"}], ids=str)
async def test_an_unexpected_answer_is_internal(
    database: SupabaseDatabase, rest: respx.Router, answer: Any
) -> None:
    rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=answer)
    assert await database.refresh_stats_views() == Err(ErrorCode.INTERNAL, cause="unexpected RefreshReport")


@pytest.mark.parametrize("answer", [[{"role": "emperor"}], {}, "kari"], ids=["row", "object", "text"])
async def test_an_unexpected_profile_is_internal_not_absent(
    database: SupabaseDatabase, rest: respx.Router, answer: Any
) -> None:
    rest.get(f"{REST}/profiles").respond(json=answer)
    assert await database.get_profile(make_user()) == Err(ErrorCode.INTERNAL, cause="unexpected Profile")


def test_the_http_client_is_bounded_and_speaks_http_1() -> None:
    http = make_http_client(make_settings(FERSK_UPSTREAM_TIMEOUT_SECONDS=3))
    assert http.timeout == httpx.Timeout(3, connect=2, pool=2)
    assert http.trust_env is False
    pool = http._transport._pool  # type: ignore[attr-defined]
    assert (pool._http1, pool._http2, pool._max_connections) == (True, False, 16)
