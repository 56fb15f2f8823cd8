"""Makes of a handler, a function from `Call` to `Result`, what Functions Framework serves."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import functions_framework.aio
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request

from _shared import logs
from _shared.accept import accept, is_root
from _shared.answer import answer, preflight
from _shared.call import ENDPOINTS, Call, Endpoint, Input, P
from _shared.callers import Caller, Webhook
from _shared.result import Err, ErrorCode, Ok, Result
from _shared.runtime import runtime_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from _shared.call import Work

    Handler: TypeAlias = Callable[[Call[P]], Awaitable[Result[Any]]]

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def endpoint(
    *methods: Method, callers: set[type[Caller]], body: type[P] | None = None, query: type[P] | None = None
) -> Callable[[Handler[P]], functions_framework.aio.HTTPFunction]:
    """Make a handler the entry point of its own name.

    methods : what is answered; HEAD comes with GET, OPTIONS always.
    callers : who is let in; with `Anonymous`, everyone.
    body    : shape of the JSON body; an empty body counts as `{}`.
    query   : shape of the query string, for functions without a body.
    Without either, the body of a POST or PUT must be empty or `{}`.
    """
    model: type[Input] = body or query or Input
    if Webhook in callers:
        model()  # a webhook brings no input of this shape, so every field must have a default

    def decorate(handler: Handler[P]) -> functions_framework.aio.HTTPFunction:
        answered = (*methods, "HEAD") if "GET" in methods else methods
        spec = Endpoint(handler.__name__, answered, frozenset(callers), model, "query" if query else "body")
        ENDPOINTS[spec.name] = spec

        # Functions Framework registers by __name__ and serves only plain functions.
        @functions_framework.aio.http
        @functools.wraps(handler)
        async def serve(request: Request) -> Response:
            return await _serve(request, spec, handler)

        return serve

    return decorate


async def _serve(request: Request, spec: Endpoint, handler: Handler[Any]) -> Response:
    started = time.perf_counter()
    line: logs.Fields = {"function": spec.name, "method": request.method, "request_id": _request_id(request)}
    after: list[Work] = []
    result: Result[Any] = Ok(None)
    if request.method == "OPTIONS" and is_root(request):
        requested = request.headers.get("access-control-request-headers", "")
        response = preflight(spec.methods, line["request_id"], requested)
    else:
        result = await _handle(request, spec, handler, line, after)
        response = answer(result, spec.methods, line["request_id"])
    if after:
        response.background = BackgroundTask(_run_after, after, spec.name, line["request_id"])
    _log(result, response.status_code, started, line)
    return response


async def _handle(
    request: Request, spec: Endpoint, handler: Handler[Any], line: logs.Fields, after: list[Work]
) -> Result[Any]:
    """Turn everything that can happen into a Result, in bounded time."""
    try:
        runtime = runtime_of(request.app)
        async with asyncio.timeout(runtime.settings.upstream_timeout_seconds):
            call = await accept(request, spec, runtime)
            if isinstance(call, Err):
                return call
            line["caller"] = type(call.value.caller).__name__.lower()
            result = await handler(call.value)
            after.extend(call.value.after)
            return result
    except ClientDisconnect:
        return Err(ErrorCode.BAD_REQUEST, cause="ClientDisconnect")
    except TimeoutError:
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause="TimeoutError")
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an answer
        logs.log_exception("unexpected_error", error, **line)
        return Err(ErrorCode.INTERNAL, cause=type(error).__name__)


async def _run_after(after: list[Work], function: str, request_id: str) -> None:
    await asyncio.gather(*(_run(work, function, request_id) for work in after))


async def _run(work: Work, function: str, request_id: str) -> None:
    try:
        done = await work()
        if isinstance(done, Err):
            _log_failure(done, function, request_id)
    except Exception as error:  # noqa: BLE001 - the answer is out: the log is all that is left
        logs.log_exception("background_error", error, function=function, request_id=request_id)


def _log_failure(failure: Err, function: str, request_id: str) -> None:
    level = logging.ERROR if failure.code.status >= 500 else logging.INFO
    line: logs.Fields = {"function": function, "request_id": request_id, "outcome": failure.code}
    if failure.cause:
        line["cause"] = failure.cause
    logs.log(level, "background_failed", **line)


def _request_id(request: Request) -> str:
    """Keep the gateway's id, else the one Functions Framework gives, where they look like ids."""
    for name in ("x-request-id", "function-execution-id"):
        if _REQUEST_ID.fullmatch(given := request.headers.get(name, "")):
            return given
    return uuid.uuid4().hex


def _log(result: Result[Any], status: int, started: float, line: logs.Fields) -> None:
    line["status"] = status
    line["duration_ms"] = round((time.perf_counter() - started) * 1000, 1)
    line["outcome"] = result.code if isinstance(result, Err) else "ok"
    if isinstance(result, Err) and result.cause:
        line["cause"] = result.cause
    logs.log(logging.ERROR if status >= 500 else logging.INFO, "request", **line)
