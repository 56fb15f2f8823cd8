"""What passes through the gateway, and in which form."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import uuid
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.stack.gateway.processes import PUBLISHABLE_KEY, SECRET_KEY, Gateway, Upstream, wait_for_log

if TYPE_CHECKING:
    import httpx

KEY = {"apikey": PUBLISHABLE_KEY}


def get_raw(gateway: Gateway, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """GET exactly this target: httpx would tidy it up."""
    connection = HTTPConnection("127.0.0.1", urlsplit(gateway.url).port, timeout=10)
    try:
        connection.request("GET", target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_query_reaches_postgrest_unchanged(gateway: Gateway, upstream: Upstream) -> None:
    query = (
        "select=id,unit:units!inner(name)&or=(a.eq.1,b.in.(%22x,y%22,z))&name=like.*50%25*&n=eq.%C3%A5+%2B"
    )
    assert get_raw(gateway, f"/rest/v1/chapter_stats?{query}", KEY) == (200, b"{}")
    assert upstream.last().target == f"/chapter_stats?{query}"


@pytest.mark.parametrize("path", ["/rest/v1", "/rest/v1/"])
def test_root_of_the_data_api(http: httpx.Client, upstream: Upstream, path: str) -> None:
    assert http.get(path, headers=KEY).status_code == 200
    assert upstream.last().target == "/"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_passes(http: httpx.Client, upstream: Upstream, method: str) -> None:
    upstream.status = 201
    assert http.request(method, "/rest/v1/units?id=eq.1", headers=KEY).status_code == 201
    assert (upstream.last().method, upstream.last().body) == (method, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "TRACE"])
def test_the_body_of_a_get_is_not_taken_from_the_next_request(
    http: httpx.Client, upstream: Upstream, method: str
) -> None:
    """It is not sent on. Announced all the same, the service would take it from somebody else's request."""
    body = b'{"a": 1}'
    for _ in range(3):
        assert http.request(method, "/functions/v1/x", content=body).status_code == 200
        assert (upstream.last().method, upstream.last().body) == (method, b"")
        assert http.post("/functions/v1/x", content=body).status_code == 200
        assert (upstream.last().method, upstream.last().body) == ("POST", body)


def test_functions_get_the_request_untouched_and_without_a_key(
    http: httpx.Client, upstream: Upstream
) -> None:
    body = b'{"a" : 1,\r\n "b":"\xc3\xa5"}  \n'
    signed = {"webhook-id": "msg_1", "webhook-signature": "v1,c2ln v1,b3RoZXI=", "content-type": "text/json"}
    target = "/functions/v1/refresh-stats-views?x=%2F"
    assert http.post(target, content=body, headers=signed).status_code == 200
    seen = upstream.last()
    assert (seen.method, seen.target, seen.body) == ("POST", target, body)
    assert {name: seen.header(name) for name in signed} == signed
    assert seen.header("authorization") is None

    credentials = {"apikey": SECRET_KEY, "authorization": "Bearer anything"}
    http.get("/functions/v1/health", headers=credentials)
    assert {name: upstream.last().header(name) for name in credentials} == credentials


def test_large_and_compressed_bodies_pass_byte_for_byte(http: httpx.Client, upstream: Upstream) -> None:
    sent = os.urandom(20 * 2**20)
    upstream.body = gzip.compress(os.urandom(2**20))
    upstream.headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with http.stream("PATCH", "/functions/v1/x", content=sent) as answer:
        received = b"".join(answer.iter_raw())
    assert received == upstream.body
    assert hashlib.sha256(upstream.last().body).digest() == hashlib.sha256(sent).digest()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_body_of_unknown_length_passes(http: httpx.Client, upstream: Upstream, method: str) -> None:
    http.request(method, "/functions/v1/x", content=iter([b"one ", b"two"]))
    assert (upstream.last().method, upstream.last().body) == (method, b"one two")


def test_status_and_repeated_headers_pass(http: httpx.Client, upstream: Upstream) -> None:
    upstream.status = 418
    upstream.headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Range", "0-1/2")]
    answer = http.get("/rest/v1/units", headers=KEY)
    assert answer.status_code == 418
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["content-range"] == "0-1/2"


def test_hop_by_hop_headers_stay_on_their_hop(http: httpx.Client, upstream: Upstream) -> None:
    upstream.headers = [("Connection", "X-Private"), ("X-Private", "1"), ("X-Kept", "1")]
    sent = {"te": "trailers", "connection": "x-mine", "x-mine": "1", "x-kept": "2"}
    answer = http.get("/rest/v1/units", headers=KEY | sent)
    seen = upstream.last()
    assert (seen.header("te"), seen.header("x-mine"), seen.header("x-kept")) == (None, None, "2")
    assert ("x-private" in answer.headers, answer.headers["x-kept"]) == (False, "1")


def test_request_id_is_made_or_kept(http: httpx.Client, upstream: Upstream) -> None:
    def id_of_answer(sent: dict[str, str]) -> str:
        answer = http.get("/functions/v1/health", headers=sent)
        assert upstream.last().header("x-request-id") == answer.headers["x-request-id"]
        return answer.headers["x-request-id"]

    assert id_of_answer({}) != id_of_answer({})
    assert id_of_answer({"x-request-id": "mine-1"}) == "mine-1"
    assert id_of_answer({"x-request-id": "two words"}) != "two words"


@pytest.mark.parametrize("query", ["name=eq.%C3%28", "name=eq.%ff", "%C3=eq.1", "select=%f0%9f%98"])
def test_a_query_that_is_no_text_is_refused(gateway: Gateway, upstream: Upstream, query: str) -> None:
    status, body = get_raw(gateway, f"/rest/v1/units?{query}", KEY)
    refusal = {"code": "PGRST100", "details": None, "hint": None, "message": "The query is not UTF-8"}
    assert (status, json.loads(body)) == (400, refusal)
    assert upstream.received == []
    assert get_raw(gateway, "/rest/v1/units?name=like.50%&other=eq.%C3%A5", KEY)[0] == 200


def test_what_is_too_long_to_read_is_refused_in_words(gateway: Gateway, upstream: Upstream) -> None:
    def ask(ids: int) -> tuple[int, bytes]:
        return get_raw(gateway, f"/rest/v1/units?id=in.({','.join([str(uuid.uuid4())] * ids)})", KEY)

    status, body = ask(450)
    assert (status, json.loads(body)) == (
        431,
        {
            "code": "bad_request",
            "message": "Address and headers have over 16 KiB: ask in parts.",
            "details": None,
            "hint": None,
        },
    )
    assert upstream.received == []
    assert ask(400)[0] == 200


@pytest.mark.parametrize("path", ["/rest/v1/units", "/auth/v1/token"])
def test_preflight_needs_no_key(http: httpx.Client, upstream: Upstream, path: str) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "apikey,authorization,prefer",
    }
    answer = http.options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "apikey,authorization,prefer"
    assert upstream.received == []


def test_preflight_of_a_function_is_its_own(http: httpx.Client, upstream: Upstream) -> None:
    upstream.status, upstream.headers = 204, [("Access-Control-Allow-Methods", "POST")]
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = http.options("/functions/v1/x", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-methods"]) == (204, "POST")
    assert upstream.last().method == "OPTIONS"


def test_cors_headers_appear_once(http: httpx.Client, upstream: Upstream) -> None:
    upstream.headers = [("Access-Control-Allow-Origin", "https://app.example")]
    rest = http.get("/rest/v1/units", headers=KEY)
    assert rest.headers.get_list("access-control-allow-origin") == ["*"]
    assert "Content-Range" in rest.headers["access-control-expose-headers"]
    function = http.get("/functions/v1/health")
    assert function.headers.get_list("access-control-allow-origin") == ["https://app.example"]


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        ("/", "text/html; charset=utf-8", "<title>console</title>"),
        ("/assets/app.js", "text/javascript; charset=utf-8", "export {};"),
    ],
)
def test_console_serves_its_files(http: httpx.Client, path: str, content_type: str, text: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, content_type, text)
    head = http.head(path)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(text)), b"")
    assert http.post(path).status_code == 405


@pytest.mark.parametrize(
    "target",
    ["/../outside.html", "/%2e%2e/outside.html", "/..%2foutside.html", "/.hidden", "/assets", "/none", "/%"],
)
def test_console_serves_nothing_else(gateway: Gateway, target: str) -> None:
    status, body = get_raw(gateway, target)
    assert (status, json.loads(body)) == (404, {"message": "Not found"})
    wait_for_log(gateway, f'"path":"{target}"')  # it did arrive like this
