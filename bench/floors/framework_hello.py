"""The least that `functions-framework` can serve: an asynchronous function, and a word."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


@functions_framework.aio.http
async def hello(_request: Request) -> Response:
    """Answer a word."""
    return PlainTextResponse("hello")
