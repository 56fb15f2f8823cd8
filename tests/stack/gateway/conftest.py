"""A gateway between a test and an upstream that shows what arrives there; no database, no stack."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stack.gateway.processes import Gateway, Upstream, environment, run_gateway, run_upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    with run_upstream() as server:
        yield server


@pytest.fixture
def upstream(shared_upstream: Upstream) -> Upstream:
    """Return the upstream as new: nothing received yet, a plain answer."""
    shared_upstream.reset()
    return shared_upstream


@pytest.fixture(scope="session")
def gateway(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    console = folder / "console"
    (console / "assets").mkdir(parents=True)
    (console / "vendor.json").write_text("{}")
    (console / "index.html").write_text("<title>console</title>")
    (console / "vendor.json").write_text("{}")
    (console / "assets" / "app.js").write_text("export {};")
    (console / ".hidden").write_text("private")
    (folder / "outside.html").write_text("private")
    env = environment(shared_upstream.url, FERSK_CONSOLE_DIR=str(console))
    with run_gateway(env, folder / "gateway.log") as running:
        yield running


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=10) as client:
        yield client


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen as an upstream whose every byte is written by the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


@pytest.fixture
def scripted(listener: socket.socket, tmp_path: Path) -> Iterator[Gateway]:
    """Start a gateway in front of `listener`."""
    env = environment(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with run_gateway(env, tmp_path / "gateway.log") as running:
        yield running
