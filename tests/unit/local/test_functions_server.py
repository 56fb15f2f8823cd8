"""The local server gives each function what it sees when it is deployed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from local.functions_server import Dispatcher, load_functions

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


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        pytest.param("/functions/v1/echo-path", "1 POST /  body", id="without-a-redirect"),
        pytest.param("/functions/v1/echo-path/", "1 POST /  body", id="with-a-slash"),
        pytest.param("/functions/v1/echo-path?a=%2F&b", "1 POST / a=%2F&b body", id="query-as-sent"),
        pytest.param("/functions/v1/echo-path/a%20b/c", "1 POST /a b/c  body", id="rest-of-the-path"),
        pytest.param("/functions/v1/other", "1 other", id="loaded-once-for-all"),
    ],
)
async def test_a_function_sees_its_own_path(app: Dispatcher, path: str, seen: str) -> None:
    async with client(app) as http:
        answer = await http.post(path, content="body")
    assert (answer.status_code, answer.text) == (200, seen)


@pytest.mark.parametrize(
    "path",
    [
        "/functions/v1/",
        "/functions/v1/unknown",
        "/functions/v1/echo_path",
        "/functions/v1/helper",
        "/echo-path",
        "/",
    ],
)
async def test_anything_else_is_not_found(app: Dispatcher, path: str) -> None:
    async with client(app) as http:
        answer = await http.post(path, headers={"x-request-id": "request-0001"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == {
        "error": {
            "code": "not_found",
            "message": "There is no such function.",
            "request_id": "request-0001",
        }
    }


async def test_a_request_id_that_is_none_is_not_repeated(app: Dispatcher) -> None:
    async with client(app) as http:
        answer = await http.get("/", headers={"x-request-id": "<script>"})
    assert "<script>" not in answer.text
    assert len(answer.json()["error"]["request_id"]) == 32


async def test_health_names_the_functions(app: Dispatcher) -> None:
    async with client(app) as http:
        answer = await http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"functions": ["echo-path", "other"]})
