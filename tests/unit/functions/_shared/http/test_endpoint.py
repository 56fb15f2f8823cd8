from __future__ import annotations

import asyncio
import datetime as dt  # noqa: TC003 - pydantic reads it
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 - pydantic reads it

import pytest
from starlette.requests import ClientDisconnect

from _shared.callers import Anonymous, Service, User, Webhook
from _shared.http.cors import CORS_REQUEST_HEADERS
from _shared.http.endpoint import ENDPOINTS, endpoint
from _shared.http.places import AT_ONCE
from _shared.http.request import MAX_BODY_BYTES, Call
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok, Result
from tests.support.credentials import SECRET_KEY, bearer, make_settings, make_token, sign
from tests.unit.functions._shared.http.test_webhooks import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from tests.support.fake_database import FakeDatabase

    ClientOf = Callable[..., httpx.AsyncClient]
    LogLines = Callable[[], list[dict[str, Any]]]

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class Period(Input):
    start: dt.date
    unit_id: UUID | None = None
    limit: int = 10


class Note(Input):
    count: int = 0


def echo(*methods: Any, **options: Any) -> Any:
    """A function that answers what it was called with."""

    @endpoint(*methods, **options)
    async def echo_function(call: Call[Any]) -> Result[Any]:
        return Ok({"method": call.method, "caller": type(call.caller).__name__, "input": call.input})

    return echo_function


def failing(error: BaseException) -> Any:
    @endpoint("POST", callers={Anonymous})
    async def failing_function(_: Call[Input]) -> Result[None]:
        raise error

    return failing_function


def test_a_function_registers_under_its_own_name_with_its_contract() -> None:
    function = echo("GET", "DELETE", callers={User}, query=Period)
    assert function.__name__ == "echo_function"
    spec = ENDPOINTS["echo_function"]
    assert (spec.methods, spec.source, spec.input) == (("GET", "DELETE", "HEAD"), "query", Period)


def test_a_webhook_function_cannot_require_input_that_webhooks_do_not_bring() -> None:
    with pytest.raises(ValueError, match="start"):
        echo("POST", callers={Webhook}, query=Period)
    assert echo("POST", callers={Webhook}, body=Note) is not None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_each_method_reaches_the_handler_with_the_parsed_query(
    client_of: ClientOf, method: str
) -> None:
    client = client_of(echo("GET", "PUT", "DELETE", callers={User}, query=Period))
    response = await client.request(method, "/?start=2026-03-14&limit=3", headers=bearer(make_token()))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["data"] == {
        "method": method,
        "caller": "User",
        "input": {"start": "2026-03-14", "unit_id": None, "limit": 3},
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param("", "Missing or not valid: start.", id="missing"),
        pytest.param("?start=yesterday&unit_id=x", "Missing or not valid: start, unit_id.", id="wrong"),
        pytest.param("?start=2026-03-14&limit=3.5", "Missing or not valid: limit.", id="not-whole"),
        pytest.param(
            "?start=2026-03-14&hack=1",
            "A name is sent that this function does not know.",
            id="unknown-is-not-echoed",
        ),
        pytest.param(
            "?start=2026-03-14&limit=1&limit=2", "A parameter is named more than once.", id="named-twice"
        ),
    ],
)
async def test_a_wrong_query_is_refused_by_field(client_of: ClientOf, query: str, message: str) -> None:
    client = client_of(echo("GET", callers={Service}, query=Period))
    response = await client.get(f"/{query}", headers={"apikey": SECRET_KEY})
    assert (response.status_code, response.json()["error"]["message"]) == (400, message)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 200, id="empty-counts-as-an-object"),
        pytest.param(b"{}", 200, id="object"),
        pytest.param(b'{"count": 2}', 200, id="field"),
        pytest.param(b'{"count": "2"}', 400, id="text-for-a-number"),
        pytest.param(b'{"count": true}', 400, id="boolean-for-a-number"),
        pytest.param(b'{"other": 1}', 400, id="unknown-field"),
        pytest.param(b"[]", 400, id="list"),
        pytest.param(b"null", 400, id="null"),
        pytest.param(b"{", 400, id="broken"),
        pytest.param(b"\xff", 400, id="not-utf-8"),
        pytest.param(b" " * (MAX_BODY_BYTES - 2) + b"{}", 200, id="just-small-enough"),
        pytest.param(b" " * (MAX_BODY_BYTES - 1) + b"{}", 413, id="one-byte-too-large"),
    ],
)
async def test_bodies_are_read_strictly(client_of: ClientOf, body: bytes, status: int) -> None:
    client = client_of(echo("POST", callers={Service}, body=Note))
    response = await client.post("/", content=body, headers={"apikey": SECRET_KEY})
    assert response.status_code == status


async def test_an_endless_body_is_not_read_to_its_end(client_of: ClientOf) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    client = client_of(echo("POST", callers={Service}, body=Note))
    response = await client.post("/", content=endless(), headers={"apikey": SECRET_KEY})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")
    assert sent <= MAX_BODY_BYTES + 4096


async def test_a_webhooks_payload_reaches_the_handler(client_of: ClientOf, database: FakeDatabase) -> None:
    received: list[Call[Note]] = []

    @endpoint("POST", callers={Webhook}, body=Note)
    async def webhook_function(call: Call[Note]) -> Result[None]:
        received.append(call)
        return Ok(None)

    body = json.dumps(EXAMPLE).encode()
    response = await client_of(webhook_function).post(
        "/", content=body, headers=sign(body, webhook_id="msg_1")
    )
    assert (response.status_code, response.json()) == (200, {"data": None})
    (call,) = received
    assert call.webhook is not None
    assert call.webhook.table == EXAMPLE["table"]
    assert call.input == Note()
    assert database.seen == {"msg_1"}


async def test_a_webhook_refused_for_its_content_is_not_used_up(
    client_of: ClientOf, database: FakeDatabase
) -> None:
    client = client_of(echo("POST", callers={Webhook}))
    response = await client.post("/", content=b"{}", headers=sign(b"{}"))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        "Missing or not valid: organization_id, records, table, truncated, type."
    )
    assert database.calls == []


async def test_a_function_for_users_knows_its_user(client_of: ClientOf) -> None:
    @endpoint("GET", callers={User, Service})
    async def user_function(call: Call[Input]) -> Result[str]:
        return Ok(str(call.user.id))

    client = client_of(user_function)
    user_id = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
    response = await client.get("/", headers=bearer(make_token(sub=user_id)))
    assert response.json() == {"data": user_id}
    # a service let in by mistake is a bug, not somebody
    assert (await client.get("/", headers={"apikey": SECRET_KEY})).status_code == 500


async def test_head_is_get_without_the_body(client_of: ClientOf) -> None:
    client = client_of(echo("GET", callers={Anonymous}))
    got, headed = await client.get("/"), await client.head("/")
    assert headed.status_code == 200
    assert headed.content == b""
    assert got.json()["data"]["method"] == "GET"
    assert headed.headers["content-length"] == got.headers["content-length"]
    refused = await client_of(echo("POST", callers={Anonymous})).head("/")
    assert (refused.status_code, refused.content) == (405, b"")


async def test_browsers_may_ask_first_and_may_read_the_answer(client_of: ClientOf) -> None:
    client = client_of(echo("GET", "PUT", callers={User}))
    asked = await client.options(
        "/", headers={"origin": "https://app.test", "access-control-request-method": "PUT"}
    )
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == "*"
    assert asked.headers["access-control-allow-methods"] == "GET, PUT, HEAD, OPTIONS"
    assert {"authorization", "apikey", "content-type", "x-client-info"} <= set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    for headers in ({}, dict(bearer(make_token()))):
        assert (await client.get("/", headers=headers)).headers["access-control-allow-origin"] == "*"
    assert (await client.options("/elsewhere")).status_code == 404


@pytest.mark.parametrize(
    ("requested", "allowed"),
    [
        pytest.param(
            "authorization,x-region,traceparent,x-supabase-api-version",
            "authorization,x-region,traceparent,x-supabase-api-version",
            id="as-clients-of-today-ask",
        ),
        pytest.param("x-later", "x-later", id="one-of-a-later-version"),
        pytest.param("", CORS_REQUEST_HEADERS, id="none"),
        pytest.param("x-a; x-b", CORS_REQUEST_HEADERS, id="no-list-of-names"),
        pytest.param("x-a, <b>", CORS_REQUEST_HEADERS, id="no-name"),
    ],
)
async def test_a_preflight_allows_the_headers_it_asks_for(
    client_of: ClientOf, requested: str, allowed: str
) -> None:
    client = client_of(echo("GET", callers={User}))
    asked = await client.options("/", headers={"access-control-request-headers": requested})
    assert asked.headers["access-control-allow-headers"] == allowed
    assert asked.headers["vary"] == "access-control-request-headers"


async def test_the_option_region_of_client_libraries_is_no_input(client_of: ClientOf) -> None:
    headers = {"apikey": SECRET_KEY, "x-region": "eu-west-1"}
    reading = client_of(echo("GET", callers={Service}, query=Period))
    response = await reading.get("/?start=2026-03-14&forceFunctionRegion=eu-west-1", headers=headers)
    assert (response.status_code, response.json()["data"]["input"]["start"]) == (200, "2026-03-14")
    other = await reading.get("/?start=2026-03-14&region=eu-west-1", headers=headers)
    assert other.status_code == 400

    writing = client_of(echo("POST", callers={Service}, body=Note))
    response = await writing.post("/?forceFunctionRegion=eu-west-1", headers=headers, content=b'{"count": 2}')
    assert (response.status_code, response.json()["data"]["input"]) == (200, {"count": 2})


async def test_the_request_id_is_the_gateways_when_it_looks_like_one(client_of: ClientOf) -> None:
    client = client_of(failing(ValueError()))
    given = await client.post("/", headers={"x-request-id": "gateway-0001"})
    assert given.json()["error"]["request_id"] == given.headers["x-request-id"] == "gateway-0001"
    execution = await client.post("/", headers={"function-execution-id": "execution001"})
    assert execution.json()["error"]["request_id"] == "execution001"
    for strange in ("a b", "<script>alert(1)</script>", "x" * 65, "short", SECRET_KEY):
        response = await client.post("/", headers={"x-request-id": strange, "function-execution-id": strange})
        assert strange not in response.text
        assert len(response.json()["error"]["request_id"]) == 32


async def test_a_bug_is_internal_and_its_message_goes_nowhere(
    client_of: ClientOf, log_lines: LogLines
) -> None:
    response = await client_of(failing(ValueError("secret of kari"))).post("/")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
    trace, line = log_lines()
    assert (trace["event"], trace["error_type"]) == ("unexpected_error", "ValueError")
    assert any("failing_function" in frame for frame in trace["trace"])
    assert (line["outcome"], line["cause"], line["severity"]) == ("internal", "ValueError", "ERROR")
    assert "kari" not in f"{response.text}{trace}{line}"
    assert trace["request_id"] == line["request_id"] == response.json()["error"]["request_id"]


async def test_a_caller_who_hangs_up_is_no_bug(client_of: ClientOf, log_lines: LogLines) -> None:
    response = await client_of(failing(ClientDisconnect())).post("/")
    assert response.status_code == 400
    assert [line["event"] for line in log_lines()] == ["request"]


async def test_no_call_outlives_its_time(client_of: ClientOf) -> None:
    @endpoint("GET", callers={Anonymous})
    async def endless_function(_: Call[Input]) -> Result[None]:
        await asyncio.Event().wait()
        raise AssertionError

    client = client_of(endless_function, make_settings(FERSK_UPSTREAM_TIMEOUT_SECONDS=0.05))
    async with asyncio.timeout(2):
        response = await client.get("/")
    assert (response.status_code, response.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_an_error_may_bring_its_own_sentence(client_of: ClientOf) -> None:
    @endpoint("DELETE", callers={Anonymous})
    async def missing_function(_: Call[Input]) -> Result[None]:
        return Err(ErrorCode.NOT_FOUND, "There is no snapshot of this period.")

    response = await client_of(missing_function).delete("/")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no snapshot of this period."


async def test_a_refusal_for_now_says_when_to_come_again(client_of: ClientOf) -> None:
    @endpoint("GET", callers={User})
    async def limited_function(_: Call[Input]) -> Result[None]:
        return Err(ErrorCode.RATE_LIMITED, retry_after_seconds=17)

    response = await client_of(limited_function).get("/", headers=bearer(make_token()))
    assert (response.status_code, response.headers["retry-after"]) == (429, "17")
    assert "retry-after" in response.headers["access-control-expose-headers"]


async def test_a_person_has_a_few_places_and_others_do_not_wait_for_them(client_of: ClientOf) -> None:
    may_end = asyncio.Event()

    @endpoint("GET", callers={User})
    async def slow_function(_: Call[Input]) -> Result[None]:
        await may_end.wait()
        return Ok(None)

    client = client_of(slow_function)
    kari, ola = bearer(make_token()), bearer(make_token(sub="7d444840-9dc0-41d1-b245-5ffdce74fad2"))
    waiting = [asyncio.ensure_future(client.get("/", headers=kari)) for _ in range(AT_ONCE + 1)]
    await asyncio.sleep(0.05)
    other = asyncio.ensure_future(client.get("/", headers=ola))
    late = await waiting[-1]
    assert (late.status_code, late.json()["error"]["code"]) == (429, "rate_limited")
    may_end.set()
    answers = await asyncio.gather(*waiting[:-1], other)
    assert {answer.status_code for answer in answers} == {200}


async def test_work_after_the_answer_changes_no_answer(client_of: ClientOf, log_lines: LogLines) -> None:
    done: list[str] = []

    @endpoint("GET", callers={Anonymous})
    async def background_function(call: Call[Input]) -> Result[str]:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise KeyError("kari")

        async def succeed() -> None:
            await asyncio.sleep(0)
            done.append("second")

        call.after += [fail, succeed]
        return Ok("answered")

    response = await client_of(background_function).get("/")
    assert (response.status_code, response.json()) == (200, {"data": "answered"})
    assert done == ["second"]
    request, failure = log_lines()
    assert (request["event"], request["outcome"]) == ("request", "ok")
    assert (failure["event"], failure["error_type"]) == ("background_error", "KeyError")
    assert "kari" not in str(failure)


async def test_work_after_the_answer_that_fails_in_the_expected_ways_is_logged_too(
    client_of: ClientOf, log_lines: LogLines
) -> None:
    @endpoint("GET", callers={Anonymous})
    async def background_function(call: Call[Input]) -> Result[str]:
        async def away() -> Result[int]:
            return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="57P01")

        async def refused() -> Result[int]:
            return Err(ErrorCode.CONFLICT)

        async def well() -> Result[int]:
            return Ok(1)

        call.after += [away, refused, well]
        return Ok("answered")

    headers = {"x-request-id": "gateway-0001", "traceparent": TRACEPARENT}
    response = await client_of(background_function).get("/", headers=headers)
    assert (response.status_code, response.json()) == (200, {"data": "answered"})
    _, *failures = log_lines()
    assert [line.pop("ts") for line in failures]
    common = {
        "event": "background_failed",
        "function": "background_function",
        "request_id": "gateway-0001",
        "trace_id": TRACE_ID,
    }
    assert failures == [
        {"severity": "ERROR", "outcome": "upstream_unavailable", "cause": "57P01", **common},
        {"severity": "INFO", "outcome": "conflict", **common},
    ]


async def test_one_line_tells_what_happened_and_to_what_kind_of_caller(
    client_of: ClientOf, log_lines: LogLines
) -> None:
    token = make_token()
    client = client_of(echo("POST", callers={User}))
    headers = {**bearer(token), "x-request-id": "gateway-0001", "traceparent": TRACEPARENT}
    await client.post("/", headers=headers)
    (line,) = log_lines()
    assert line.pop("ts")
    assert line.pop("duration_ms") >= 0
    assert line == {
        "severity": "INFO",
        "event": "request",
        "function": "echo_function",
        "method": "POST",
        "request_id": "gateway-0001",
        "trace_id": TRACE_ID,
        "caller": "user",
        "status": 200,
        "outcome": "ok",
    }
