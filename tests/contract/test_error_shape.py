"""Every function, and every way to be refused or to fail.

Success is `{"data": …}`, failure exactly `{"error": {"code", "message", "request_id"}}`, both with the type
`application/json` and nothing else: supabase-flutter decodes only that. No answer and no log line holds SQL,
the text of an exception or a secret. Each refusal has its allowed twin, here or in the first test.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from _shared.callers import Anonymous, Caller, Service, User, Webhook
from _shared.http.request import MAX_BODY_BYTES
from _shared.result import ErrorCode
from tests.contract.world import FEW_SECONDS, SECONDS
from tests.support.credentials import PUBLISHABLE_KEY, SECRETS, WEBHOOK_SECRET, make_token, sign

if TYPE_CHECKING:
    import httpx

    from tests.contract.world import Function

REQUEST_ID = "contract-0001"
MUST_NOT_LEAK = (*SECRETS, WEBHOOK_SECRET, "LEAK", "insert into", "private.", "Traceback", "ZeroDivision")
OTHER_SECRET = "whsec_" + "b3RoZXI" * 8 + "bw=="
KINDS: list[type[Caller]] = [Webhook, Service, User]
FOREIGN_SECRET = "foreign-secret-" + "0123456789" * 5


def assert_error(response: httpx.Response, code: str) -> None:
    """The whole answer, byte for byte but for the message, which is one sentence of ours."""
    assert response.status_code == ErrorCode(code).status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    request_id = response.headers["x-request-id"]
    message = response.json()["error"]["message"]
    assert response.json() == {"error": {"code": code, "message": message, "request_id": request_id}}
    assert message.endswith(".")
    assert len(message) < 120
    assert [text for text in MUST_NOT_LEAK if text in response.text] == []
    assert [text for text in ("functions/", ".py", "httpx", "Error") if text in response.text] == []
    assert ("www-authenticate" in response.headers) is (code == "unauthorized")
    assert ("retry-after" in response.headers) is (code == "rate_limited")


def assert_logged(capsys: pytest.CaptureFixture[str], outcome: str, credentials: dict[str, str]) -> None:
    """One line about the request, and nothing secret in any line: no key, no token, no signature."""
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["outcome"] for line in lines if line["event"] == "request"] == [outcome]
    given = [value.removeprefix("Bearer ") for name, value in credentials.items() if name in SENSITIVE]
    leaked = (*SECRETS, WEBHOOK_SECRET, "LEAK", "insert into", *(value for value in given if value))
    said = out + err
    for line in lines:  # a random id may hold a short signature by chance
        said = said.replace(line.get("request_id") or "\0", "")
    assert [text for text in leaked if text in said] == []


SENSITIVE = ("authorization", "apikey", "webhook-signature")


def each_kind(function: Function) -> list[type[Caller]]:
    return [kind for kind in KINDS if kind in function.spec.callers] or [Anonymous]


async def refuse_unless_anyone_may_call(
    function: Function, capsys: pytest.CaptureFixture[str], body: bytes, headers: dict[str, str]
) -> None:
    response = await function.call(User, body=body, headers=headers)
    if function.accepts(Anonymous):
        assert response.status_code == 200  # credentials are not looked at
        assert_logged(capsys, "ok", headers)
    else:
        assert_error(response, "unauthorized")
        assert function.network.asked == []
        assert_logged(capsys, "unauthorized", headers)


async def test_who_may_call_gets_an_answer(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in each_kind(function):
        body = function.body(kind)
        credentials = function.headers(kind, body)
        response = await function.call(kind, body=body, headers=credentials)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == function.media_type
        if function.media_type == "application/json":
            assert list(response.json()) == ["data"]
        assert [text for text in MUST_NOT_LEAK if text in response.text] == []
        assert_logged(capsys, "ok", credentials)


@pytest.mark.parametrize("kind", [*KINDS, Anonymous])
async def test_who_may_not_is_refused(function: Function, kind: type[Caller]) -> None:
    if function.accepts(kind):
        assert (await function.call(kind)).status_code == 200
    else:
        assert_error(await function.call(kind), "unauthorized" if kind is Anonymous else "forbidden")
        assert function.network.asked == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_is_refused_with_the_right_ones(function: Function, method: str) -> None:
    kind = function.some_caller()
    response = await function.call(kind, method=method)
    if method in function.spec.methods:
        assert response.status_code == 200
    else:
        assert_error(response, "method_not_allowed")
        assert response.headers["allow"] == ", ".join([*function.spec.methods, "OPTIONS"])


async def test_head_is_answered_without_a_body(function: Function) -> None:
    response = await function.call(function.some_caller(), method="HEAD")
    assert response.status_code == (200 if "GET" in function.spec.methods else 405)
    assert response.content == b""
    assert response.headers["content-type"] == (
        function.media_type if "GET" in function.spec.methods else "application/json"
    )


async def test_preflight_names_the_methods(function: Function) -> None:
    response = await function.call(Anonymous, method="OPTIONS", body=b"", headers={"origin": "http://app"})
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-methods"] == response.headers["allow"]
    assert set(function.spec.methods) < set(response.headers["allow"].split(", "))


@pytest.mark.parametrize("path", ["/more", "/more/", "/..%2f", "/index.html", "/functions/v1/other"])
async def test_there_is_nothing_below_a_function(function: Function, path: str) -> None:
    assert_error(await function.call(function.some_caller(), path=path), "not_found")
    assert_error(await function.call(function.some_caller(), path=f"{function.kept_path}{path}"), "not_found")


async def test_a_load_balancer_may_keep_the_path(function: Function) -> None:
    for path in (function.kept_path, f"{function.kept_path}/"):
        assert (await function.call(function.some_caller(), path=path)).status_code == 200
        preflight = await function.call(function.some_caller(), method="OPTIONS", path=path)
        assert preflight.status_code == 204


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe{}", b'{"unknown": 1}', b"[]", b"null", b'"text"', b"NaN", b"[" * 30000],
    ids=["broken", "not-utf-8", "unknown-field", "list", "null", "text", "nan", "endlessly-nested"],
)
async def test_a_wrong_body_is_refused(function: Function, body: bytes) -> None:
    if function.method not in {"POST", "PUT"}:
        assert (await function.call(function.some_caller(), body=body)).status_code == 200  # not read
        return
    for kind in each_kind(function):
        if kind is Webhook and body.startswith(b"\xff"):
            continue  # a signature is over text: this body cannot have one
        assert_error(await function.call(kind, body=body), "bad_request")
    assert function.network.asked == []


async def test_an_unknown_parameter_is_refused(function: Function) -> None:
    response = await function.call(function.some_caller(), query={"unknown": "LEAK"})
    if function.spec.source == "query":
        assert_error(response, "bad_request")
    else:
        assert response.status_code == 200  # not read


async def test_too_large_a_body_is_refused_before_anyone_is_asked(function: Function) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    if function.method not in {"POST", "PUT"}:
        assert (await function.call(function.some_caller(), body=body)).status_code == 200  # not read
        return
    for kind in (*each_kind(function), Anonymous):
        assert_error(await function.call(kind, body=body), "payload_too_large")
    assert function.network.asked == []


@pytest.mark.parametrize(
    "case",
    [
        "half",
        "wrong-secret",
        "old",
        "future",
        "other-body",
        "no-comma",
        "not-base64",
        "empty",
        "version",
    ],
)
async def test_a_webhook_that_is_not_rightly_signed_is_refused(
    function: Function, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    body = function.body(Webhook)
    good = sign(body)
    signature = good["webhook-signature"]
    headers: dict[str, str] = {
        "half": {"webhook-id": good["webhook-id"]},
        "wrong-secret": sign(body, secret=OTHER_SECRET),
        "old": sign(body, age=timedelta(minutes=5, seconds=5)),
        "future": sign(body, age=-timedelta(minutes=5, seconds=5)),
        "other-body": sign(body + b" "),
        "no-comma": good | {"webhook-signature": "v1"},
        "not-base64": good | {"webhook-signature": "v1,%%%"},
        "empty": good | {"webhook-signature": ""},
        "version": good | {"webhook-signature": signature.replace("v1,", "v2,")},
    }[case]
    await refuse_unless_anyone_may_call(function, capsys, body, headers)


async def test_a_replayed_webhook_is_refused(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    body = function.body(Webhook)
    headers = sign(body)
    if Webhook not in function.spec.callers:
        for _ in range(2):
            assert (await function.call(Webhook, body=body, headers=headers)).status_code in {200, 403}
        assert "claim_webhook" not in function.network.asked
        return
    assert (await function.call(Webhook, body=body, headers=headers)).status_code == 200
    capsys.readouterr()
    function.network.answers["claim_webhook"] = False
    function.network.asked.clear()
    assert_error(await function.call(Webhook, body=body, headers=headers), "unauthorized")
    assert function.network.asked == ["claim_webhook"]
    assert_logged(capsys, "unauthorized", headers)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param(make_token(exp=int(time.time()) - 60), id="expired"),
        pytest.param(make_token(FOREIGN_SECRET), id="foreign"),
        pytest.param(make_token(secret="", alg="none"), id="unsigned"),
        pytest.param(make_token(aud="anon"), id="other-audience"),
        pytest.param(make_token(role="service_role", aud=None, sub=None), id="legacy-service-key"),
        pytest.param(PUBLISHABLE_KEY, id="publishable-key"),
    ],
)
async def test_a_token_that_is_not_a_users_is_refused(
    function: Function, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    headers = {"authorization": f"Bearer {token}", "x-request-id": REQUEST_ID}
    await refuse_unless_anyone_may_call(function, capsys, function.body(User), headers)


FAILURES: dict[str, str] = {
    "hung-up": "upstream_unavailable",
    "no-database": "upstream_unavailable",
    "gateway-error": "upstream_unavailable",
    "hanging": "upstream_timeout",
    "statement-timeout": "upstream_timeout",
    "switched-off": "feature_disabled",
    "limited": "rate_limited",
    "sql-error": "internal",
    "nonsense": "internal",
    "not-json": "internal",
    "bug": "internal",
}


@pytest.mark.parametrize(("mode", "code"), FAILURES.items(), ids=FAILURES)
async def test_each_failure_behind_a_function_has_its_code(
    function: Function, capsys: pytest.CaptureFixture[str], mode: str, code: str
) -> None:
    for kind in each_kind(function):
        function.network.mode = mode
        function.give_up_after(FEW_SECONDS if mode == "hanging" else SECONDS)
        body = function.body(kind)
        credentials = function.headers(kind, body)
        response = await function.call(kind, body=body, headers=credentials | {"x-request-id": REQUEST_ID})
        assert_error(response, code)
        assert response.headers["x-request-id"] == REQUEST_ID
        assert_logged(capsys, code, credentials)
        function.network.mode = "good"
        function.give_up_after(SECONDS)
        assert (await function.call(kind)).status_code == 200  # and it recovers by itself
        capsys.readouterr()


def test_every_code_is_met_or_belongs_to_functions_to_come() -> None:
    """The closed set: a code added to `ErrorCode` without a test above fails here."""
    met: set[Any] = {
        "bad_request",
        "unauthorized",
        "forbidden",
        "not_found",
        "method_not_allowed",
        "payload_too_large",
    }
    assert {code.value for code in ErrorCode} - met - set(FAILURES.values()) == {"conflict"}
