"""A gateway of one's own, in front of an upstream that a test controls."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from local.config import Ports
from local.requirements import node_program

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN = Path(__file__).resolve().parents[3] / "local" / "gateway" / "main.mjs"
NODE = str(node_program())
JWT_SECRET = "gateway-test-gateway-test-gateway-test"
ANON_KEY = jwt.encode({"role": "anon"}, JWT_SECRET)
SERVICE_ROLE_KEY = jwt.encode({"role": "service_role"}, JWT_SECRET)
PUBLISHABLE_KEY = "sb_publishable_gateway_test"
SECRET_KEY = "sb_secret_gateway_test"
START_SECONDS = 20
SLOW_REQUEST = b"GET /functions/v1/slow HTTP/1.1\r\nhost: x\r\n\r\n"
EMPTY_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class Received:
    """One request as the upstream saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the only value of a header, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} arrived {len(values)} times"
        return values[0] if values else None


@dataclass
class Upstream:
    """An HTTP server that keeps what it receives and gives the answer it is told to give."""

    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b"{}"

    def reset(self) -> None:
        self.received.clear()
        self.status, self.headers, self.body = 200, [("Content-Type", "application/json")], b"{}"

    def last(self) -> Received:
        return self.received[-1]


@contextlib.contextmanager
def run_upstream() -> Iterator[Upstream]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            """Answer every method alike; the base class would look for a method `do_<METHOD>` each."""
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = int(self.headers["content-length"] or 0)
            body = b"".join(self.chunks()) if self.headers["transfer-encoding"] else self.rfile.read(length)
            upstream.received.append(Received(self.command, self.path, self.headers.items(), body))
            self.send_response(upstream.status)
            for name, value in upstream.headers:
                self.send_header(name, value)
            # A 204 has no body: bytes after it would be taken for the next answer on this connection.
            has_body = upstream.status != HTTPStatus.NO_CONTENT
            if has_body:
                self.send_header("Content-Length", str(len(upstream.body)))
            self.end_headers()
            if has_body and self.command != "HEAD":
                self.wfile.write(upstream.body)

        def chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *_: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(upstream_url: str, **changes: str | None) -> dict[str, str]:
    """Return a complete environment of a gateway on a free port; a change to None removes a variable."""
    ports = Ports.free()
    values: dict[str, Any] = {
        "PATH": os.environ["PATH"],
        "FERSK_GATEWAY_PORT": str(ports.gateway),
        "FERSK_REST_URL": upstream_url,
        "FERSK_FUNCTIONS_URL": upstream_url,
        # Nobody listens there: whatever needs no database must work without one.
        "FERSK_AUTH_DB_URL": f"postgresql://supabase_auth_admin@127.0.0.1:{ports.postgres}/postgres",
        "SUPABASE_URL": f"http://127.0.0.1:{ports.gateway}",
        "SUPABASE_JWT_SECRET": JWT_SECRET,
        "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "SUPABASE_SECRET_KEY": SECRET_KEY,
        "SUPABASE_ANON_KEY": ANON_KEY,
        "SUPABASE_SERVICE_ROLE_KEY": SERVICE_ROLE_KEY,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Gateway:
    """A running gateway: its process, its address, and the file it logs to."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path


@contextlib.contextmanager
def run_gateway(env: dict[str, str], log: Path) -> Iterator[Gateway]:
    """Start `main.mjs` with exactly `env`, wait until it answers, stop it at the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen([NODE, str(MAIN)], env=env, stdout=output, stderr=subprocess.STDOUT)
    gateway = Gateway(process, env["SUPABASE_URL"], log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(gateway.url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield gateway
    finally:
        process.terminate()
        process.wait(timeout=10)


def connect(gateway: Gateway) -> socket.socket:
    """Open a connection to write on by hand."""
    return socket.create_connection(("127.0.0.1", httpx.URL(gateway.url).port or 0), timeout=10)


def accept(listener: socket.socket) -> socket.socket:
    """Take the connection that the gateway opened to an upstream written by hand."""
    connection, _ = listener.accept()
    connection.settimeout(10)
    return connection


def wait_for_log(gateway: Gateway, text: str) -> str:
    """Return the log once it contains `text`: it is written by another process."""
    deadline = time.monotonic() + START_SECONDS
    while text not in (log := gateway.log.read_text()):
        assert time.monotonic() < deadline, f"{text!r} is not in {log}"
        time.sleep(0.02)
    return log


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == httpx.codes.OK
    except httpx.ConnectError:
        return False
