"""Serves functions without a framework: `python -m _shared.http.server --bind 127.0.0.1:8080`, in functions/.

All of them in one process, for a host that is always on and for the local stack. Or, where `FUNCTION_TARGET`
names one, that one alone at `/`, as `functions-framework` would, in two thirds of its cold start.
"""

from __future__ import annotations

import argparse
import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import JSONResponse

from _shared.http.endpoint import refuse
from _shared.http.loading import NAMES, load
from _shared.result import Err, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from _shared.http.endpoint import Function

PREFIX = "/functions/v1/"
READY = f"{PREFIX}health"
NO_FUNCTION = Err(ErrorCode.NOT_FOUND, "There is no such function.")


class Alone:
    """One function; every address is its own."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self.state = State()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        response = await self._function(Request({**scope, "app": self}, receive, send))
        await response(scope, receive, send)


class Together:
    """`/functions/v1/<slug>[/…]` is the function's; anything else is a 404, but for two places of its own.

    A function sees what it sees when it is alone: a mounted application would redirect its address, and show
    it the whole path.

    /health : this process lives; which functions it has.
    /ready  : it does its work, database included: the answer of the function `health`.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = {name.replace("_", "-"): function for name, function in functions.items()}
        self.state = State()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        response = await self._respond({**scope, "app": self}, receive, send)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> Response:
        path: str = READY if scope["path"] == "/ready" else scope["path"]
        slug, _, rest = path.removeprefix(PREFIX).partition("/")
        if path.startswith(PREFIX) and slug in self._functions:
            own = {"path": f"/{rest}", "raw_path": quote(f"/{rest}").encode(), "root_path": ""}
            return await self._functions[slug](Request({**scope, **own}, receive, send))
        if path == "/health":
            return JSONResponse({"functions": sorted(self._functions)})
        return refuse(Request(scope), NO_FUNCTION)


def main() -> None:
    """Serve until SIGTERM; requests in flight are finished first."""
    parser = argparse.ArgumentParser(
        description="Serve all functions, or the one that FUNCTION_TARGET names."
    )
    parser.add_argument("--bind", action="append", required=True, metavar="HOST:PORT", help="may be repeated")
    addresses = [address.rpartition(":") for address in parser.parse_args().bind]
    target = os.environ.get("FUNCTION_TARGET")
    config = uvicorn.Config(
        Alone(load([target])[target]) if target else Together(load(NAMES)),
        lifespan="off",  # the functions know neither start nor end when they are deployed
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    sockets = [socket.create_server((host, int(port)), backlog=2048) for host, _, port in addresses]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
