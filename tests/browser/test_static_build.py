"""The console as files, from another origin than the project's."""

from __future__ import annotations

import functools
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import figure, sign_in
from tools.console import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from local.stack import Stack


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(stack: Stack, tmp_path: Path) -> Iterator[str]:
    build(stack.api_url, stack.publishable_key, tmp_path / "below" / "console")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/below/console/"
        finally:
            server.shutdown()


def test_it_works_below_any_address_of_any_origin(page: Page, served: str) -> None:
    sign_in(page, served, "kari@nhf.example")
    assert int(figure(page, "Aktiviteter")) > 0


def test_it_has_two_settings_and_its_libraries(stack: Stack, tmp_path: Path) -> None:
    target = tmp_path / "console"
    build(stack.api_url, stack.publishable_key, target)
    assert json.loads((target / "config.json").read_text(encoding="utf-8")) == {
        "supabase_url": stack.api_url,
        "publishable_key": stack.publishable_key,
    }
    assert {path.name for path in (target / "vendor").iterdir()} == {"supabase.js", "chart.js"}


def test_a_secret_key_is_refused(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the secret key never goes to a browser"):
        build(stack.api_url, stack.secret_key, tmp_path / "console")
    assert not (tmp_path / "console").exists()
