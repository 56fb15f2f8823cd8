from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from _shared.database import Database
from _shared.database.client import make_http_client
from tests.support.credentials import make_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def rest() -> Iterator[respx.Router]:
    """PostgREST, route by route; a request without a route fails the test."""
    router = respx.Router()
    yield router
    router.assert_all_called()


@pytest.fixture
def database(rest: respx.Router) -> Database:
    settings = make_settings()
    return Database(settings, make_http_client(settings, httpx.MockTransport(rest.async_handler)))
