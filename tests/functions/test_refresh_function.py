"""The functions on the running stack: real signatures, real sign-ins, a real database that goes away."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from _shared.http.webhooks import WebhookPayload
from _shared.result import ErrorCode
from local.network import free_port
from tests.contract.world import example
from tests.support.credentials import sign
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

FUNCTIONS = Path(__file__).parents[2] / "functions"
SLUG = "refresh-stats-views"
BODY = json.dumps(example(WebhookPayload)).encode()
OUTCOMES = {"refreshed", "debounced", "already_running", "nothing_pending"}
UPSTREAM_TIMEOUT_SECONDS = 8


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """Reach the functions as the world does: through the gateway."""
    with httpx.Client(base_url=f"{stack.functions_url}/", timeout=20, trust_env=False) as client:
        yield client


def headers_of(stack: Stack, role: str) -> dict[str, str]:
    """What the app of someone with this role sends along."""
    return sign_in(stack, next(account.email for account in stack.sign_ins() if account.role == role)).headers


def assert_refused(response: httpx.Response, code: ErrorCode, message: str | None = None) -> None:
    assert response.status_code == code.status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "error": {
            "code": code,
            "message": message or code.message,
            "request_id": response.headers["x-request-id"],
        }
    }


def assert_refreshed(response: httpx.Response) -> None:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    data = response.json()["data"]
    assert set(data) == {"outcome", "refreshed_at", "applied_changes", "duration_ms"}
    assert data["outcome"] in OUTCOMES


def test_a_signed_webhook_is_answered_once(stack: Stack, http: httpx.Client) -> None:
    headers = sign(BODY, secret=stack.webhook_secret)
    assert_refreshed(http.post(SLUG, content=BODY, headers=headers))
    assert_refused(http.post(SLUG, content=BODY, headers=headers), ErrorCode.UNAUTHORIZED)
    assert_refreshed(http.post(SLUG, content=BODY, headers=sign(BODY, secret=stack.webhook_secret)))


def test_a_webhook_that_is_not_rightly_signed_is_unauthorized(stack: Stack, http: httpx.Client) -> None:
    good = sign(BODY, secret=stack.webhook_secret)
    wrong: dict[str, dict[str, str]] = {
        "unsigned": {},
        "no signature": good | {"webhook-signature": ""},
        "foreign": sign(BODY),
        "old": sign(BODY, secret=stack.webhook_secret, age=timedelta(minutes=5, seconds=5)),
        "ahead": sign(BODY, secret=stack.webhook_secret, age=-timedelta(minutes=5, seconds=5)),
        "another body": sign(BODY + b" ", secret=stack.webhook_secret),
    }
    for headers in wrong.values():
        assert_refused(http.post(SLUG, content=BODY, headers=headers), ErrorCode.UNAUTHORIZED)
    assert_refreshed(http.post(SLUG, content=BODY, headers=good))


def test_the_secret_key_refreshes_and_the_publishable_key_does_not(stack: Stack, http: httpx.Client) -> None:
    assert_refreshed(http.post(SLUG, headers={"apikey": stack.secret_key}))
    for key in (stack.publishable_key, stack.anon_key):
        headers = {"apikey": key, "authorization": f"Bearer {key}"}
        assert_refused(http.post(SLUG, headers=headers), ErrorCode.UNAUTHORIZED)
    legacy = {"apikey": stack.service_role_key, "authorization": f"Bearer {stack.service_role_key}"}
    refused = http.post(SLUG, headers=legacy)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")
    assert refused.json()["error"]["message"] == (
        "Legacy service_role keys are not accepted; call with the project's secret key (sb_secret_…)."
    )
    assert_refused(http.post(SLUG), ErrorCode.UNAUTHORIZED)


def test_those_who_run_things_may_refresh_and_peer_mentors_may_not(stack: Stack, http: httpx.Client) -> None:
    assert_refreshed(http.post(SLUG, json={}, headers=headers_of(stack, "coordinator")))
    assert_refreshed(http.post(SLUG, headers=headers_of(stack, "org_admin")))
    assert_refused(http.post(SLUG, json={}, headers=headers_of(stack, "peer_mentor")), ErrorCode.FORBIDDEN)


def test_a_wrong_method_and_a_wrong_body_are_refused(stack: Stack, http: httpx.Client) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        response = http.request(method, SLUG, headers={"apikey": stack.secret_key})
        assert_refused(response, ErrorCode.METHOD_NOT_ALLOWED)
        assert response.headers["allow"] == "POST, OPTIONS"
    unknown = "A name is sent that this function does not know."
    for body, message in ((b"{", None), (b"[]", None), (b'{"force": true}', unknown)):
        response = http.post(SLUG, content=body, headers={"apikey": stack.secret_key})
        assert_refused(response, ErrorCode.BAD_REQUEST, message)
    signed = http.post(SLUG, content=b"{", headers=sign(b"{", secret=stack.webhook_secret))
    assert_refused(signed, ErrorCode.BAD_REQUEST)
    assert_refused(http.post(f"{SLUG}/more", headers={"apikey": stack.secret_key}), ErrorCode.NOT_FOUND)


def test_a_signed_webhook_from_the_database_is_accepted(stack: Stack, http: httpx.Client) -> None:
    """SQL and Python agree on the signature: the database signs, this test delivers."""
    with psycopg.connect(stack.db_url) as connection:
        row = connection.execute(
            "select extract(epoch from now())::bigint::text,"
            " private.webhook_signature('msg_sql', extract(epoch from now())::bigint, %s)",
            (BODY.decode(),),
        ).fetchone()
    assert row is not None
    headers = {"webhook-id": "msg_sql", "webhook-timestamp": row[0], "webhook-signature": row[1]}
    assert_refreshed(http.post(SLUG, content=BODY, headers=headers))


def test_health_tells_everyone_how_far_behind_the_statistics_are(http: httpx.Client) -> None:
    response = http.get("health")
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    assert set(data) == {
        "status",
        "database",
        "last_refreshed_at",
        "last_sweep_at",
        "pending_changes",
        "oldest_pending_seconds",
        "differences",
        "last_difference_at",
        "last_delivered_at",
        "last_undelivered_at",
        "reasons",
    }
    assert data["database"] == "reachable"
    assert data["status"] == ("degraded" if data["reasons"] else "ready")
    assert http.head("health").status_code == 200


@pytest.mark.parametrize("immediate", [False, True], ids=["stopped", "crashed"])
def test_without_its_database_a_function_says_so_in_time_and_recovers(
    stack: Stack, http: httpx.Client, *, immediate: bool
) -> None:
    user = headers_of(stack, "coordinator")

    def calls() -> list[httpx.Response]:
        return [
            http.post(SLUG, content=BODY, headers=sign(BODY, secret=stack.webhook_secret)),
            http.post(SLUG, headers={"apikey": stack.secret_key}),
            http.post(SLUG, headers=user),
            http.get("health"),
        ]

    def served(path: str) -> int:
        """What a host learns that looks after the process."""
        url = f"http://127.0.0.1:{stack.instance.ports.functions}{path}"
        return httpx.get(url, trust_env=False, timeout=20).status_code

    assert [response.status_code for response in calls()] == [200, 200, 200, 200]
    assert (served("/health"), served("/ready")) == (200, 200)
    stack.stop_postgres(immediate=immediate)
    try:
        assert (served("/health"), served("/ready")) == (200, 503)
        assert stack.status()["functions"] is False
        for _ in range(2):
            for response in calls():
                assert_refused(response, ErrorCode.UPSTREAM_UNAVAILABLE)
                assert response.elapsed.total_seconds() < UPSTREAM_TIMEOUT_SECONDS
    finally:
        stack.start_postgres()
    # PostgREST retries its own connection with growing pauses.
    eventually(lambda: [response.status_code for response in calls()] == [200, 200, 200, 200], seconds=60)


@pytest.mark.parametrize("how", ["framework", "own server"])
@pytest.mark.parametrize("target", ["health", "refresh_stats_views"])
def test_each_function_is_servable_alone_as_deployed(
    stack: Stack, tmp_path: Path, target: str, how: str
) -> None:
    port = free_port()
    arguments = command(target, port) if how == "framework" else own_server(target, port)
    with serve(arguments, port, environment(stack, tmp_path), tmp_path) as url:
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            if target == "health":
                head = client.head("/")  # on the same connection as the next: a stray body would break it
                assert (head.status_code, head.content) == (200, b"")
                assert client.get("/").json()["data"]["database"] == "reachable"
                assert_refused(client.post("/"), ErrorCode.METHOD_NOT_ALLOWED)
            else:
                headers = sign(BODY, secret=stack.webhook_secret)
                assert_refreshed(client.post("/", content=BODY, headers=headers))
                assert_refused(client.post("/", content=BODY), ErrorCode.UNAUTHORIZED)
        started, *lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert started["verifiers"] == ["HS256 with SUPABASE_JWT_SECRET"]
    assert {line["function"] for line in lines} == {target}
    assert [line["outcome"] for line in lines][-2:] == [
        "ok",
        "method_not_allowed" if target == "health" else "unauthorized",
    ]
    assert stack.secret_key not in str(lines)


def test_with_a_variable_missing_the_function_does_not_start(stack: Stack, tmp_path: Path) -> None:
    incomplete = environment(stack, tmp_path)
    del incomplete["FERSK_WEBHOOK_SECRET"]
    started = subprocess.run(
        command("health", free_port()),
        env=incomplete,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode != 0
    assert "FERSK_WEBHOOK_SECRET: missing" in started.stderr
    assert stack.secret_key not in started.stderr + started.stdout


class serve:  # noqa: N801 - reads as a verb in `with serve(…)`
    """Run one function as Cloud Run does, until the block ends. Gives its address once it answers."""

    def __init__(self, arguments: list[str], port: int, variables: dict[str, str], folder: Path) -> None:
        self._arguments = arguments
        self._variables = variables
        self._folder = folder
        self._port = port

    def __enter__(self) -> str:
        with (self._folder / "out").open("wb") as out, (self._folder / "err").open("wb") as err:
            self._process = subprocess.Popen(self._arguments, env=self._variables, stdout=out, stderr=err)
        eventually(self._listens)
        return f"http://127.0.0.1:{self._port}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def _listens(self) -> bool:
        assert self._process.poll() is None, (self._folder / "err").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def command(target: str, port: int) -> list[str]:
    program = shutil.which("functions-framework", path=Path(sys.executable).parent)
    assert program is not None
    source = str(FUNCTIONS / "main.py")
    return [program, "--source", source, "--target", target, "--host", "127.0.0.1", "--port", str(port)]


def own_server(target: str, port: int) -> list[str]:
    options = [f"--chdir={FUNCTIONS}", f"FUNCTION_TARGET={target}", sys.executable]
    return ["env", *options, "-m", "_shared.http.server", "--bind", f"127.0.0.1:{port}"]


def environment(stack: Stack, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),  # gunicorn writes there
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_JWT_SECRET": stack.jwt_secret,
        "FERSK_WEBHOOK_SECRET": stack.webhook_secret,
    }
