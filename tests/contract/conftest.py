from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from _shared import logs
from _shared.settings import settings
from tests.contract.world import Function, load_functions, served
from tests.support.credentials import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette


def _load() -> dict[str, Starlette]:
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        return load_functions()
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


# At collection, because the functions found are the parameters of the tests.
APPS = _load()


@pytest.fixture(params=sorted(APPS))
async def function(request: pytest.FixtureRequest) -> AsyncIterator[Function]:
    """Each function in turn."""
    async with served(request.param, APPS[request.param]) as function:
        yield function


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    logs.configure("DEBUG")
    yield
    logger = logging.getLogger(logs.LOGGER_NAME)
    for handler in [handler for handler in logger.handlers if isinstance(handler, logs.JsonLines)]:
        logger.removeHandler(handler)
