from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from _shared import logs
from _shared.settings import settings
from tests.contract.world import Function, load_functions, make_function
from tests.support.credentials import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def function(request: pytest.FixtureRequest) -> Function:
    """Each function in turn."""
    return make_function(request.param, APPS[request.param])


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    logs.configure("DEBUG")
    yield
    logger = logging.getLogger(logs.LOGGER_NAME)
    for handler in [handler for handler in logger.handlers if isinstance(handler, logs.JsonLines)]:
        logger.removeHandler(handler)
