"""The server of all functions gives each what it sees when it is deployed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.responses import PlainTextResponse

from _shared.http.auth import Authenticator
from _shared.http.server import Alone, Server, Together
from _shared.network import Network
from _shared.result import Err, ErrorCode
from _shared.runtime import Runtime
from health import health
from tests.support.credentials import make_settings
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def echo_path(request: Request) -> Response:
    body = (await request.body()).decode()
    return PlainTextResponse(f"{request.method} {request.url.path} {request.url.query} {body}")


async def other(_request: Request) -> Response:
    return PlainTextResponse("other")


@pytest.fixture
def app() -> Together:
    return Together({"echo_path": echo_path, "other": other, "health": health})


def client(app: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://local")


async def test_a_function_sees_its_own_path(app: Together) -> None:
    async with client(app) as http:
        for path, seen in (
            ("echo-path", "POST /  body"),  # without a redirect
            ("echo-path/", "POST /  body"),
            ("echo-path?a=%2F&b", "POST / a=%2F&b body"),
            ("echo-path/a%20b/c", "POST /a b/c  body"),
            ("other", "other"),
        ):
            answer = await http.post(f"/functions/v1/{path}", content="body")
            assert (answer.status_code, answer.text) == (200, seen)


@pytest.mark.parametrize("name", ["", "unknown", "echo_path", "main", "/echo-path", "/"])
async def test_anything_else_is_not_found(app: Together, name: str) -> None:
    path = name if name.startswith("/") else f"/functions/v1/{name}"
    error = {"code": "not_found", "message": "There is no such function.", "request_id": "request-0001"}
    async with client(app) as http:
        answer = await http.post(path, headers={"x-request-id": "request-0001"})
        assert (answer.status_code, answer.json()) == (404, {"error": error})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        answer = await http.post(path, headers={"x-request-id": "<script>"})
        assert "<script>" not in answer.text
        assert len(answer.json()["error"]["request_id"]) == 32


async def test_health_names_the_functions(app: Together) -> None:
    async with client(app) as http:
        answer = await http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"functions": ["echo-path", "health", "other"]})


@pytest.mark.parametrize(
    ("failure", "status"), [(None, 200), (Err(ErrorCode.UPSTREAM_TIMEOUT), 504)], ids=["well", "wedged"]
)
async def test_ready_is_who_reaches_the_database(app: Together, failure: Err | None, status: int) -> None:
    settings, database = make_settings(), FakeDatabase(failure=failure)
    app.state.runtime = Runtime(settings, database, Authenticator(settings, Network(seconds=8)))
    async with client(app) as http:
        assert (await http.get("/ready")).status_code == status
        assert (await http.get("/health")).status_code == 200
    assert database.calls == ["get_health"]


async def test_alone_every_other_address_is_the_functions_own() -> None:
    async with client(Alone({"echo_path": echo_path})) as http:
        for path in ("/", "/anything", "/functions/v1/echo-path", "/functions/v1/other"):
            assert (await http.post(path, content="body")).text == f"POST {path}  body"
        assert (await http.get("/health")).json() == {"functions": ["echo-path"]}


async def test_the_description_is_served_to_any_origin(app: Together) -> None:
    for one in (app, Alone({"other": other})):
        async with client(one) as http:
            answer = await http.get("/functions/v1/openapi.json")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.json()["openapi"] == "3.1.0"
            assert (await http.head("/functions/v1/openapi.json")).status_code == 200
            assert (await http.post("/functions/v1/openapi.json")).text != answer.text
