"""The server of all functions gives each what it sees when it is deployed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from _shared.http.server import Dispatcher, load_functions

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import functions_framework.aio
loads = 0
loads += 1

@functions_framework.aio.http
async def echo_path(request):
    body = (await request.body()).decode()
    return f"{loads} {request.method} {request.url.path} {request.url.query} {body}"

@functions_framework.aio.http
async def other(request):
    return f"{loads} other"

def helper():
    pass
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Dispatcher:
    source: Path = tmp_path_factory.mktemp("source") / "functions_server_scratch.py"
    source.write_text(SOURCE, encoding="utf-8")
    return Dispatcher(load_functions(source))


def client(app: Dispatcher) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://local")


async def test_a_function_sees_its_own_path(app: Dispatcher) -> None:
    async with client(app) as http:
        for path, seen in (
            ("echo-path", "1 POST /  body"),  # without a redirect
            ("echo-path/", "1 POST /  body"),
            ("echo-path?a=%2F&b", "1 POST / a=%2F&b body"),
            ("echo-path/a%20b/c", "1 POST /a b/c  body"),
            ("other", "1 other"),  # loaded once for all
        ):
            answer = await http.post(f"/functions/v1/{path}", content="body")
            assert (answer.status_code, answer.text) == (200, seen)


@pytest.mark.parametrize("name", ["", "unknown", "echo_path", "helper", "/echo-path", "/"])
async def test_anything_else_is_not_found(app: Dispatcher, name: str) -> None:
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


async def test_health_names_the_functions(app: Dispatcher) -> None:
    async with client(app) as http:
        answer = await http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"functions": ["echo-path", "other"]})


async def test_one_alone_gets_the_path_as_it_came(app: Dispatcher) -> None:
    alone = Dispatcher(app._functions, "echo-path")
    async with client(alone) as http:
        for path in ("/", "/functions/v1/echo-path", "/functions/v1/other", "/anything"):
            answer = await http.post(path, content="body")
            assert (answer.status_code, answer.text) == (200, f"1 POST {path}  body")
        assert (await http.get("/health")).json() == {"functions": ["echo-path"]}


async def test_the_description_is_served_to_any_origin(app: Dispatcher) -> None:
    for one in (app, Dispatcher(app._functions, "other")):
        async with client(one) as http:
            answer = await http.get("/functions/v1/openapi.json")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.json()["openapi"] == "3.1.0"
            assert (await http.head("/functions/v1/openapi.json")).status_code == 200
            assert (await http.post("/functions/v1/openapi.json")).text != answer.text
