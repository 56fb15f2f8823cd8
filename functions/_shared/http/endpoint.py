"""Makes of a handler, a function from `Call` to `Result`, one from request to response."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import time
import uuid
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from _shared import background, exact_json, logs, trace
from _shared.callers import Caller, Webhook
from _shared.http.cors import CORS, preflight
from _shared.http.file import File
from _shared.http.request import Call, Endpoint, P, accept, is_root
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok, Result
from _shared.runtime import Runtime, process_runtime
from _shared.tally import BOUNDS, TALLY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from _shared.background import Work

    Handler: TypeAlias = Callable[[Call[P]], Awaitable[Result[Any]]]
    Function: TypeAlias = Callable[[Request], Awaitable[Response]]

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
_REQUEST_ID = re.compile(r"(?!sb_|eyJ|whsec_)[A-Za-z0-9_-]{8,64}")  # a key that was put there is none

ENDPOINTS: dict[str, Endpoint] = {}
"""Every function by name, for what has to cover them all: tests and documentation."""


def endpoint(
    *methods: Method, callers: set[type[Caller]], body: type[P] | None = None, query: type[P] | None = None
) -> Callable[[Handler[P]], Function]:
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

    def decorate(handler: Handler[P]) -> Function:
        answered = (*methods, "HEAD") if "GET" in methods else methods
        spec = Endpoint(handler.__name__, answered, frozenset(callers), model, "query" if query else "body")
        ENDPOINTS[spec.name] = spec

        @functools.wraps(handler)  # by whose name it is served
        async def serve(request: Request) -> Response:
            return await _serve(request, spec, handler)

        return serve

    return decorate


def refuse(request: Request, error: Err) -> Response:
    """Answer in the form of all functions where there is none to answer."""
    return _respond(error, (), _request_id(request))


def runtime_of(app: Any) -> Runtime:
    """Give the runtime that whoever built `app` put into `app.state.runtime`, else the process's."""
    given: Runtime | None = getattr(app.state, "runtime", None)
    return given or process_runtime()


async def _serve(request: Request, spec: Endpoint, handler: Handler[Any]) -> Response:
    started = time.perf_counter()
    trace.begin(request.headers.get(trace.HEADER))
    line: logs.Fields = {"function": spec.name, "method": request.method, "request_id": _request_id(request)}
    after: list[Work] = []
    result: Result[Any] = Ok(None)
    if request.method == "OPTIONS" and is_root(request, spec):
        requested = request.headers.get("access-control-request-headers", "")
        response = preflight(spec.methods, line["request_id"], requested)
    else:
        result = await _handle(request, spec, handler, line, after)
        response = _respond(result, spec.methods, line["request_id"])
    if after:
        response.background = BackgroundTask(background.run_all, after, spec.name, line["request_id"])
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
            work = functools.partial(_work, handler, call.value)
            result = await runtime.places.serve(call.value.caller, work)
            after.extend(call.value.after)
            return result
    except ClientDisconnect:
        return Err(ErrorCode.BAD_REQUEST, cause="ClientDisconnect")
    except TimeoutError:
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause="TimeoutError")
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an answer
        logs.log_exception("unexpected_error", error, **line)
        return Err(ErrorCode.INTERNAL, cause=type(error).__name__)


async def _work(handler: Handler[Any], call: Call[Any]) -> Result[Any]:
    """Do what was asked. A webhook is claimed last, so that one we refuse for its content is not used up."""
    if isinstance(call.caller, Webhook):
        from _shared.http import webhooks  # noqa: PLC0415 - most functions never meet one

        refused = await webhooks.claim(call.caller, call.database)
        if refused:
            return refused
    return await handler(call)


def _respond(result: Result[object], methods: Collection[str], request_id: str) -> Response:
    """Give `{"data": …}`, a file, or `{"error": {code, message, request_id}}`.

    The content type is exactly `application/json`, but for a file: supabase-flutter decodes no other.
    """
    headers = CORS | {"cache-control": "no-store", "x-request-id": request_id}
    if isinstance(result, Ok) and isinstance(result.value, File):
        file = result.value
        headers["content-disposition"] = f'attachment; filename="{file.name}"'
        return Response(file.content, headers=headers, media_type=file.media_type)
    if not isinstance(result, Err):
        return Response(
            exact_json.dumps({"data": result.value}), headers=headers, media_type="application/json"
        )
    code = result.code
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join([*methods, "OPTIONS"])
    if code is ErrorCode.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if result.retry_after_seconds is not None:
        headers["retry-after"] = str(result.retry_after_seconds)
    error = {"code": code, "message": result.message or code.message, "request_id": request_id}
    return Response(
        exact_json.dumps({"error": error}),
        status_code=code.status,
        headers=headers,
        media_type="application/json",
    )


def _request_id(request: Request) -> str:
    """Keep the gateway's id, else the one Functions Framework gives, where they look like ids."""
    for name in ("x-request-id", "function-execution-id"):
        if _REQUEST_ID.fullmatch(given := request.headers.get(name, "")):
            return given
    return uuid.uuid4().hex


def _log(result: Result[Any], status: int, started: float, line: logs.Fields) -> None:
    seconds = time.perf_counter() - started
    function = line["function"]
    TALLY.answers[function, status] += 1
    TALLY.took[function, bisect_left(BOUNDS, seconds)] += 1
    TALLY.seconds[function] = TALLY.seconds.get(function, 0.0) + seconds
    line["status"] = status
    line["duration_ms"] = round(seconds * 1000, 1)
    line["outcome"] = result.code if isinstance(result, Err) else "ok"
    if isinstance(result, Err) and result.cause:
        line["cause"] = result.cause
    logs.log(logging.ERROR if status >= 500 else logging.INFO, "request", **line)
