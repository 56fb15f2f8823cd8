"""The functions as a server: `python -m _shared.http.server`, in the folder `functions/`.

What the image runs, and the local stack. It serves all functions below /functions/v1/. Where
`FUNCTION_TARGET` names one, it serves that one alone, as Functions Framework would: at its root, and below
the path that a load balancer keeps.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from functions_framework import _function_registry, aio
from starlette.responses import FileResponse, JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).parents[2]
PREFIX = "/functions/v1/"
OPENAPI = FOLDER / "openapi.json"
ANY_ORIGIN = {"access-control-allow-origin": "*"}
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def load_functions(source: Path = FOLDER / "main.py") -> dict[str, ASGIApp]:
    """Import the source once and make each of its asynchronous functions an application, by slug.

    Creating the applications one by one from the path would run the source again for each.
    """
    module, spec = _function_registry.load_function_module(str(source))  # type: ignore[no-untyped-call]
    spec.loader.exec_module(module)
    names = [name for name in sorted(_function_registry.ASGI_FUNCTIONS) if hasattr(module, name)]
    create = aio.create_asgi_app_from_module
    return {name.replace("_", "-"): create(name, str(source), None, module, spec) for name in names}  # type: ignore[no-untyped-call]


class Dispatcher:
    """Send `/functions/v1/<slug>[/…]` to the function, `/health` to itself, anything else to a 404.

    alone : the one function that is served, by slug; it gets all else, with the path as it came.
    """

    def __init__(self, functions: Mapping[str, ASGIApp], alone: str | None = None) -> None:
        self._functions = {alone: functions[alone]} if alone else functions
        self._alone = alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        await self._choose(scope)(scope, receive, send)

    def _choose(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        if path == "/health":
            return JSONResponse({"functions": sorted(self._functions)})
        if path == f"{PREFIX}{OPENAPI.name}" and scope["method"] in {"GET", "HEAD"}:
            return FileResponse(OPENAPI, headers=ANY_ORIGIN)
        if self._alone:
            return self._functions[self._alone]
        slug, _, rest = path.removeprefix(PREFIX).partition("/")
        if not path.startswith(PREFIX) or slug not in self._functions:
            return _not_found(scope)
        # a mounted application would redirect `/functions/v1/<slug>`, and show the whole path
        scope.update(path=f"/{rest}", raw_path=quote(f"/{rest}").encode(), root_path="")
        return self._functions[slug]


def _not_found(scope: Scope) -> JSONResponse:
    """Answer as a function would: the same shape, and readable from a browser."""
    sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    request_id = sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    error = {"code": "not_found", "message": "There is no such function.", "request_id": request_id}
    return JSONResponse({"error": error}, 404, headers=ANY_ORIGIN | {"x-request-id": request_id})


def main() -> None:
    """Serve until SIGTERM; requests in flight are finished first."""
    parser = argparse.ArgumentParser(
        description="Serve the functions: all, or the one that FUNCTION_TARGET names."
    )
    everywhere = (
        f"0.0.0.0:{os.environ.get('PORT', '8080')}"  # in a container, whose engine decides who reaches it
    )
    parser.add_argument("--bind", action="append", metavar="HOST:PORT", help=f"may be repeated; {everywhere}")
    addresses = [address.rpartition(":") for address in parser.parse_args().bind or [everywhere]]
    functions, target = load_functions(), os.environ.get("FUNCTION_TARGET")
    alone = target.replace("_", "-") if target else None
    if alone and alone not in functions:
        parser.error(f"FUNCTION_TARGET is {target}, which is none of {', '.join(sorted(functions))}")
    config = uvicorn.Config(
        Dispatcher(functions, alone),
        lifespan="off",  # the functions know neither start nor end
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    sockets = [socket.create_server((host, int(port)), backlog=2048) for host, _, port in addresses]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
