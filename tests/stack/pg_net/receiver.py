"""A web server that records what it gets and misbehaves on request."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

PATIENCE_SECONDS = 20.0
_BODY = b'{"ok": true}'
_ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "redirect": (307, {"Location": "/landed"}, _BODY),
    "cookie": (200, {"Set-Cookie": "visited=yes"}, _BODY),
    "binary": (200, {}, b"caf\xe9"),
    "nul": (200, {}, b"before\0after"),
}


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Serves on 127.0.0.1; what it does is told by the first part of the path:

    /status/<n> answers n · /hold answers once released · /together/<n> answers once n are here
    /drip-headers, /drip-body never end before release, nor does /stall, which begins late ·
    /hang-up answers nothing · /redirect leads to /landed · /cookie sets one
    /binary answers what is not UTF-8 · /nul has a NUL in it · all others answer 200.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.received: list[Received] = []
        self.arrival = threading.Condition()
        self.released = threading.Event()
        self.barriers: dict[int, threading.Barrier] = {}
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def paths(self) -> list[str]:
        """What came, but the requests of `pass_of_worker`."""
        with self.arrival:
            return [r.path for r in self.received if not r.path.startswith("/fence/")]

    def wait_for(self, path: str) -> Received:
        """The last request for `path`, once one is here."""
        with self.arrival:
            is_here = self.arrival.wait_for(lambda: path in [r.path for r in self.received], PATIENCE_SECONDS)
            assert is_here, f"{path} is not in {self.received}"
            return next(r for r in reversed(self.received) if r.path == path)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.arrival:
            self.server.received.append(Received(self.command, self.path, dict(self.headers.items()), body))
            if self.path.startswith("/together/"):
                parties = int(self.path.split("/")[2])
                self.server.barriers.setdefault(parties, threading.Barrier(parties))
            self.server.arrival.notify_all()
        self._react(*self.path.split("?")[0].split("/")[1:])

    def _react(self, kind: str, argument: str = "", *_: str) -> None:
        match kind:
            case "status":
                self._answer(int(argument))
            case "hold":
                self.server.released.wait(PATIENCE_SECONDS)
                self._answer(200)
            case "together":
                self.server.barriers[int(argument)].wait(PATIENCE_SECONDS)
                self._answer(200)
            case "drip-headers" | "drip-body":
                self._drip(b"X-Drip: drop\r\n" if kind == "drip-headers" else b".")
            case "stall":
                self.server.released.wait(1.5)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
                self.server.released.wait(PATIENCE_SECONDS)
                self.close_connection = True
            case "hang-up":
                self.close_connection = True
            case _:
                self._answer(*_ANSWERS.get(kind, (200, {"X-Town": "Bodø"}, _BODY)))

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = _BODY) -> None:
        has_body = status != 204
        length = {"Content-Length": str(len(body))} if has_body else {}
        lines = {**(headers or {}), "Content-Type": "application/json", **length}
        head = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
        self.wfile.write("\r\n".join(head).encode() + (body if has_body else b""))

    def _drip(self, drop: bytes) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if drop == b".":
            self.wfile.write(b"Content-Length: 1000000\r\n\r\n")
        try:
            while not self.server.released.wait(0.05):
                self.wfile.write(drop)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client gave up, which is what the test is about

    def log_message(self, *_: object) -> None:
        """Say nothing."""
