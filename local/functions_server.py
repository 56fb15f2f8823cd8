"""All functions in one local process: `python -m local.functions_server --bind 127.0.0.1:54330`.

Deployed, each function is a service of its own that sees its path as `/`. Here they share a server, and each
sees the same: a mounted application would redirect `/functions/v1/<slug>`, and show the whole path.
"""

from __future__ import annotations

import argparse
import re
import socket
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from functions_framework import _function_registry, aio
from starlette.responses import JSONResponse

from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

SOURCE = ROOT / "functions" / "main.py"
PREFIX = "/functions/v1/"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def load_functions(source: Path = SOURCE) -> dict[str, ASGIApp]:
    """Import the source once and make each of its asynchronous functions an application, by slug.

    Creating the applications one by one from the path would run the source again for each.
    """
    module, spec = _function_registry.load_function_module(str(source))  # type: ignore[no-untyped-call]
    spec.loader.exec_module(module)
    names = [name for name in sorted(_function_registry.ASGI_FUNCTIONS) if hasattr(module, name)]
    create = aio.create_asgi_app_from_module
    return {name.replace("_", "-"): create(name, str(source), None, module, spec) for name in names}  # type: ignore[no-untyped-call]


class Dispatcher:
    """Send `/functions/v1/<slug>[/…]` to the function, `/health` to itself, anything else to a 404."""

    def __init__(self, functions: Mapping[str, ASGIApp]) -> None:
        self._functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        slug, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
        if scope["path"].startswith(PREFIX) and slug in self._functions:
            path = f"/{rest}"
            inner = {**scope, "path": path, "raw_path": quote(path).encode(), "root_path": ""}
            await self._functions[slug](inner, receive, send)
        elif scope["path"] == "/health":
            await JSONResponse({"functions": sorted(self._functions)})(scope, receive, send)
        else:
            await _not_found(scope)(scope, receive, send)


def _not_found(scope: Scope) -> JSONResponse:
    """Answer as a function would: the same shape, and readable from a browser."""
    sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    request_id = sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    error = {"code": "not_found", "message": "There is no such function.", "request_id": request_id}
    headers = {"access-control-allow-origin": "*", "x-request-id": request_id}
    return JSONResponse({"error": error}, 404, headers=headers)


def main() -> None:
    """Serve until SIGTERM; requests in flight are finished first."""
    parser = argparse.ArgumentParser(description="Serve all functions below /functions/v1/.")
    parser.add_argument("--bind", action="append", required=True, metavar="HOST:PORT", help="may be repeated")
    addresses = [address.rpartition(":") for address in parser.parse_args().bind]
    config = uvicorn.Config(
        Dispatcher(load_functions()),
        lifespan="off",  # the functions know neither start nor end when they are deployed
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    sockets = [socket.create_server((host, int(port)), backlog=2048) for host, _, port in addresses]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
