"""The least that `functions-framework` can serve: an asynchronous function, and a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import functions_framework.aio
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request


@functions_framework.aio.http
async def hello(_request: Request) -> Response:
    """Answer a word."""
    return PlainTextResponse("hello")
