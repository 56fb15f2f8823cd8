from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import functions_framework.aio as framework
import httpx
import pytest

from _shared import logs
from _shared.http.auth import Authenticator
from _shared.http.endpoint import ENDPOINTS
from _shared.network import Network
from _shared.runtime import Runtime
from tests.support.credentials import make_settings
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _shared.settings import Settings


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def client_of(database: FakeDatabase) -> Callable[..., httpx.AsyncClient]:
    """Give a client of one function, served as Functions Framework serves it, on the fake database."""

    def make(function: Any, settings: Settings | None = None) -> httpx.AsyncClient:
        name = function.__name__
        module = SimpleNamespace(**{name: framework.http(function)})
        app = framework.create_asgi_app_from_module(name, "main.py", None, module, None)  # type: ignore[no-untyped-call]
        settings = settings or make_settings()
        app.state.runtime = Runtime(settings, database, Authenticator(settings, Network(seconds=8)))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://function")

    return make


@pytest.fixture(autouse=True)
def _isolated_registry() -> Iterator[None]:
    before = dict(ENDPOINTS)
    yield
    ENDPOINTS.clear()
    ENDPOINTS.update(before)


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Read the lines logged since the last call; everything on stdout must be one."""
    logs.configure("DEBUG")
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logger = logging.getLogger(logs.LOGGER_NAME)
    for handler in [handler for handler in logger.handlers if isinstance(handler, logs.JsonLines)]:
        logger.removeHandler(handler)
