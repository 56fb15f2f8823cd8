"""Settings that are missing, a port that is taken, an orderly end, and what the log keeps."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

import jwt
import pytest

from tests.stack.gateway.processes import (
    ANON_KEY,
    EMPTY_ANSWER,
    JWT_SECRET,
    MAIN,
    NODE,
    PUBLISHABLE_KEY,
    SECRET_KEY,
    SERVICE_ROLE_KEY,
    SLOW_REQUEST,
    Gateway,
    accept,
    connect,
    environment,
    wait_for_log,
)

if TYPE_CHECKING:
    import socket

    import httpx

KEY = {"apikey": PUBLISHABLE_KEY}
CREDENTIALS = {"email": "kari@nhf.example", "password": "correct horse battery"}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    env = environment("http://127.0.0.1:9", **changes)
    return subprocess.run([NODE, str(MAIN)], env=env, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"SUPABASE_JWT_SECRET": "", "FERSK_REST_URL": None},
            "missing environment variables: FERSK_REST_URL, SUPABASE_JWT_SECRET",
        ),
        ({"FERSK_REST_URL": "nowhere"}, "FERSK_REST_URL must be a URL"),
        (
            {"SUPABASE_JWT_SECRET": "short"},
            "SUPABASE_JWT_SECRET must have at least 32 bytes, as HS256 and PostgREST ask",
        ),
    ],
    ids=["missing", "url", "weak-secret"],
)
def test_start_without_a_setting_names_it(changes: dict[str, str | None], message: str) -> None:
    ended = start(**changes)
    assert (ended.returncode, ended.stderr) == (1, f"gateway: {message}\n")


def test_port_that_is_taken_ends_the_start(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    ended = start(FERSK_GATEWAY_PORT=str(port))
    entry = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (entry["event"], entry["port"], entry["code"]) == ("cannot_listen", port, "EADDRINUSE")


def test_sigterm_finishes_what_is_in_flight(listener: socket.socket, scripted: Gateway) -> None:
    with connect(scripted) as client:
        client.sendall(SLOW_REQUEST)
        with accept(listener) as behind:
            behind.recv(65536)
            scripted.process.send_signal(signal.SIGTERM)
            wait_for_log(scripted, '"event":"stopping"')
            behind.sendall(EMPTY_ANSWER)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"{}")
    assert scripted.process.wait(timeout=10) == 0


@pytest.mark.usefixtures("upstream")
def test_log_has_no_secrets(http: httpx.Client, gateway: Gateway) -> None:
    token = jwt.encode({"role": "authenticated", "sub": "someone"}, JWT_SECRET)
    secrets = [PUBLISHABLE_KEY, SECRET_KEY, ANON_KEY, SERVICE_ROLE_KEY, JWT_SECRET, token]
    http.get(f"/rest/v1/units?apikey={SECRET_KEY}&email=eq.{CREDENTIALS['email']}")
    http.get("/rest/v1/units", headers={"apikey": ANON_KEY, "authorization": f"Bearer {token}"})
    http.post("/functions/v1/x", json=CREDENTIALS, headers={"apikey": SERVICE_ROLE_KEY})
    http.post("/auth/v1/token?grant_type=password", json=CREDENTIALS, headers=KEY)
    log = wait_for_log(gateway, http.get("/functions/v1/x").headers["x-request-id"])
    assert [value for value in (*secrets, *CREDENTIALS.values()) if value in log] == []
    assert all(json.loads(line)["event"] for line in log.splitlines())
