"""What the worker of pg_net's stand-in makes of requests and of what goes wrong, against played HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

from local.pg_net import Request, Response, new_client, send

URL = "http://receiver.test/hook"


async def outcome(**changes: Any) -> Response:
    request = {"id": 1, "method": "POST", "url": URL, "headers": {}, "body": b"{}"}
    async with new_client() as client:
        return await send(client, Request(**{**request, "timeout_milliseconds": 5000, **changes}))


@respx.mock
async def test_request_is_sent_as_it_was_queued_and_the_response_kept(
    respx_mock: respx.MockRouter,
) -> None:
    route = respx_mock.post(f"{URL}?a=1&b=x%20y").respond(
        201, headers=[(b"X-Town", "Bodø".encode())], text="{}", content_type="application/json"
    )
    headers = {"Content-Type": "application/json", "webhook-signature": "v1,abc=", "X-Town": "Bodø"}
    response = await outcome(id=7, url=f"{URL}?a=1&b=x%20y", headers=headers, body='{"a": "ø"}'.encode())
    sent = route.calls.last.request
    assert (str(sent.url), sent.content) == (f"{URL}?a=1&b=x%20y", '{"a": "ø"}'.encode())
    names = {name.lower() for name, _ in sent.headers.raw}
    assert names == {
        *(b"host", b"accept", b"accept-encoding", b"connection", b"user-agent", b"content-length"),
        *(name.lower().encode() for name in headers),
    }
    assert (sent.headers["user-agent"], sent.headers["webhook-signature"]) == ("pg_net/0.20.4", "v1,abc=")
    assert dict(sent.headers.raw)[b"X-Town"] == "Bodø".encode()
    assert (response.id, response.status_code, response.content) == (7, 201, "{}")
    assert response.content_type == "application/json"
    assert response.headers is not None
    assert response.headers["X-Town"] == "Bodø"


@pytest.mark.parametrize("status", [400, 401, 429, 500, 502, 503, 504])
async def test_refusals_are_never_retried(status: int, respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(URL).respond(status, headers={"Retry-After": "0"})
    assert (await outcome()).status_code == status
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(httpx.ConnectError("refused"), "Couldn't connect to server", id="refused"),
        pytest.param(
            httpx.RemoteProtocolError("closed"),
            "Server returned nothing (no headers, no data)",
            id="hung-up",
        ),
        pytest.param(httpx.ReadError("reset"), "Failure when receiving data from the peer", id="reset"),
        pytest.param(ValueError("secret"), "ValueError", id="others-by-kind-only"),
    ],
)
async def test_failure_is_told_in_the_words_of_curl_and_not_retried(
    error: Exception, message: str, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.post(URL).mock(side_effect=error)
    assert await outcome(id=3) == Response(3, error_msg=message)
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://receiver.test/", "UnsupportedProtocol"),
        ("http://nowhere.invalid/", "Couldn't resolve host name"),
        ("http://127.0.0.1:99999/", "ExceptionGroup"),
    ],
)
async def test_request_that_cannot_be_sent_is_a_response(url: str, message: str) -> None:
    assert await outcome(url=url) == Response(1, error_msg=message)


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        pytest.param("blåbær".encode(), "blåbær", id="utf-8"),
        pytest.param(b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}", id="latin-1"),
        pytest.param(b"before\0after", "before", id="up-to-a-nul"),
        pytest.param(b"", None, id="empty"),
    ],
)
async def test_content_is_text_that_postgres_can_store(
    octets: bytes, content: str | None, respx_mock: respx.MockRouter
) -> None:
    respx_mock.post(URL).respond(200, content=octets, content_type="text/plain; charset=latin-1")
    assert (await outcome()).content == content
