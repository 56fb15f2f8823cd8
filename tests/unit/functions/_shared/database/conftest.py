from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import respx

from _shared.database import Database
from _shared.network import Network
from tests.support.credentials import make_settings
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def rest() -> Iterator[respx.Router]:
    """PostgREST, route by route; a request without a route fails the test."""
    router = respx.Router()
    yield router
    router.assert_all_called()


@pytest.fixture
async def database(rest: respx.Router) -> AsyncIterator[Database]:
    async with upstream(rest.async_handler) as server:
        yield Database(make_settings(SUPABASE_URL=server.url), Network(seconds=8))
