"""A post between the database and the functions that treats wake-ups as a bad network does."""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal

from local.network import HOST

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

Way = Literal["doubled", "dropped", "delayed", "reordered", "failed", "answered late"]
WAYS: tuple[Way, ...] = ("doubled", "dropped", "delayed", "reordered", "failed", "answered late")
LATE_SECONDS = 6.0  # the database gives up after five
HELD_SECONDS = 2.0
FORWARDED = ("content-type", "traceparent", "webhook-id", "webhook-timestamp", "webhook-signature")


class Post(ThreadingHTTPServer):
    """Takes what the database sends, and forwards it in a way of its own."""

    def __init__(self, way: Way, functions_port: int, chance: random.Random) -> None:
        self.way, self.functions_port, self.chance = way, functions_port, chance
        self.turn = threading.Semaphore(0)
        super().__init__((HOST, 0), Handler)

    def wait(self) -> None:
        """Wait as long as this way has it; of those that are reordered, one lets another go first."""
        if self.way == "delayed":
            time.sleep(self.chance.uniform(0, HELD_SECONDS))
        if self.way == "reordered" and not self.turn.acquire(timeout=self.chance.choice([0, HELD_SECONDS])):
            self.turn.release()

    def forward(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Hand it to the functions, once or twice. Gives their first answer."""
        if self.way == "failed":
            return 500, b""
        answers = [(502, b"")]
        for _ in range(2 if self.way == "doubled" else 1):
            with (
                suppress(OSError, http.client.HTTPException),
                closing(http.client.HTTPConnection(HOST, self.functions_port, timeout=10)) as connection,
            ):
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answers.append((answer.status, answer.read()))
        if self.way == "answered late":
            time.sleep(LATE_SECONDS)
        return answers[min(1, len(answers) - 1)]


class Handler(BaseHTTPRequestHandler):
    """One connection from the database."""

    server: Post

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.way == "dropped":
            self.close_connection = True
            return
        self.server.wait()
        headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
        status, content = self.server.forward(self.path, headers, body)
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True  # who asked has given up


@contextmanager
def post(way: Way, functions_port: int, chance: random.Random) -> Iterator[int]:
    """Serve until the block ends. Gives the port."""
    server = Post(way, functions_port, chance)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
