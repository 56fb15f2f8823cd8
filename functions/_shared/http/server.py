"""Serves functions without a framework: `python -m _shared.http.server --bind 127.0.0.1:8080`, in functions/.

What the image runs, and the local stack. All functions in one process; or, where `FUNCTION_TARGET` names one,
that one alone at `/`, as `functions-framework` would, in two thirds of its cold start.
"""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse

from _shared.http.endpoint import refuse
from _shared.http.loading import NAMES, load
from _shared.result import Err, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from _shared.http.endpoint import Function

PREFIX = "/functions/v1/"
OPENAPI = Path(__file__).parents[2] / "openapi.json"
ANY_ORIGIN = {"access-control-allow-origin": "*"}
READY = f"{PREFIX}health"
NO_FUNCTION = Err(ErrorCode.NOT_FOUND, "There is no such function.")


class Server:
    """Functions, by slug, and what the server answers itself.

    /health                    : this process lives; which functions it has.
    /functions/v1/openapi.json : what the functions take and answer, for any origin.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = {name.replace("_", "-"): function for name, function in functions.items()}
        self.state = State()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        own = self._own(scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        response = own or await self._respond({**scope, "app": self}, receive, send)
        await response(scope, receive, send)

    def _own(self, path: str) -> Response | None:
        if path == "/health":
            return JSONResponse({"functions": sorted(self._functions)})
        return FileResponse(OPENAPI, headers=ANY_ORIGIN) if path == f"{PREFIX}{OPENAPI.name}" else None

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> Response:
        raise NotImplementedError


class Alone(Server):
    """One function; every other address is its own, as it came."""

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> Response:
        (function,) = self._functions.values()
        return await function(Request(scope, receive, send))


class Together(Server):
    """`/functions/v1/<slug>[/…]` is the function's; anything else is a 404, but for `/ready`.

    A function sees what it sees when it is alone: a mounted application would redirect its address, and show
    it the whole path.

    /ready : this process does its work, database included: the answer of the function `health`.
    """

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> Response:
        path: str = READY if scope["path"] == "/ready" else scope["path"]
        slug, _, rest = path.removeprefix(PREFIX).partition("/")
        if path.startswith(PREFIX) and slug in self._functions:
            own = {"path": f"/{rest}", "raw_path": quote(f"/{rest}").encode(), "root_path": ""}
            return await self._functions[slug](Request({**scope, **own}, receive, send))
        return refuse(Request(scope), NO_FUNCTION)


def main() -> None:
    """Serve until SIGTERM; requests in flight are finished first."""
    parser = argparse.ArgumentParser(
        description="Serve all functions, or the one that FUNCTION_TARGET names."
    )
    everywhere = (
        f"0.0.0.0:{os.environ.get('PORT', '8080')}"  # in a container, whose engine decides who gets there
    )
    parser.add_argument("--bind", action="append", metavar="HOST:PORT", help=f"may be repeated; {everywhere}")
    addresses = [address.rpartition(":") for address in parser.parse_args().bind or [everywhere]]
    target = os.environ.get("FUNCTION_TARGET")
    if target and target not in NAMES:
        parser.error(f"FUNCTION_TARGET is {target}, which is none of {', '.join(NAMES)}")
    config = uvicorn.Config(
        Alone(load([target])) if target else Together(load(NAMES)),
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
