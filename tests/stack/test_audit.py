"""`make audit` against made-up advisories: nothing known, something known, nobody to ask."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tools import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens
ADVISORY = {"id": "GHSA-made-up", "modified": "2026-01-01T00:00:00Z", "summary": "Something is wrong"}


@contextlib.contextmanager
def advisories(*, python: str | None = None, node: str | None = None) -> Iterator[str]:
    """Serve osv.dev's interface and npm's; the named packages are vulnerable in every version."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            asked = json.loads(body)
            if "queries" in asked:
                vulnerable = [query["package"]["name"] == python for query in asked["queries"]]
                self.answer({"results": [{"vulns": [ADVISORY]} if each else {} for each in vulnerable]})
            else:
                found = {"id": 1, "url": "https://x.example", "title": "x", "severity": "high"}
                self.answer({node: [found | {"vulnerable_versions": ">=0"}]} if node in asked else {})

        def do_GET(self) -> None:
            """An advisory; npm asks for the package, too, to see which versions are free of it."""
            name = unquote(self.path[1:])
            package = {"name": name, "versions": {"1.0.0": {"name": name, "version": "1.0.0"}}}
            self.answer(ADVISORY if name.startswith("v1/vulns/") else package | {"dist-tags": {}})

        def answer(self, value: Any) -> None:
            text = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


AUDITS = [
    pytest.param(audit.audit_python, "python", "starlette", id="python"),
    pytest.param(audit.audit_node, "node", "hono", id="npm"),
]


@pytest.mark.parametrize(("look_up", "kind", "package"), AUDITS)
def test_what_is_known_is_found(look_up: Callable[[str], audit.Finding], kind: str, package: str) -> None:
    with advisories() as service:
        assert look_up(service).status == 0
    with advisories(**{kind: package}) as service:
        found = look_up(service)
    assert (found.status, package in found.text) == (audit.VULNERABLE, True)


@pytest.mark.parametrize("look_up", [audit.audit_python, audit.audit_node], ids=["python", "npm"])
def test_silence_is_not_safety(
    monkeypatch: pytest.MonkeyPatch, look_up: Callable[[str], audit.Finding]
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    found = look_up(NOBODY)
    assert (found.status, found.text != "") == (audit.UNKNOWN, True)


@pytest.mark.parametrize(
    ("python", "node", "status"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 0, 2), (0, 2, 2), (2, 1, 1), (1, 2, 1)],
)
def test_the_worst_news_decides(
    capsys: pytest.CaptureFixture[str], python: int, node: int, status: int
) -> None:
    findings = {"Python": audit.Finding(python, "of Python"), "npm": audit.Finding(node, "of npm")}
    assert audit.report(findings) == status
    printed = capsys.readouterr().out
    assert ("no known vulnerability" in printed) == (0 in {python, node})
    assert ("NOT KNOWN, nobody could be asked" in printed) == (audit.UNKNOWN in {python, node})


def test_every_pinned_package_is_asked_about() -> None:
    lines = [line for file in audit.LISTS for line in file.read_text("utf-8").splitlines()]
    names = {line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}
    assert {pin.partition("==")[0] for pin in audit.pins()} == names
