"""Every function of `functions/main.py`, as deployed, before a real server that plays PostgREST.

Functions are discovered, not listed: a new one meets every refusal without a word here. What the database
answers on the good path are the examples of `tests/support/examples.py`.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from functions_framework import _function_registry
from functions_framework.aio import create_asgi_app_from_module

from _shared import exact_json
from _shared.callers import Anonymous, Caller, Service, User, Webhook
from _shared.database import Database
from _shared.http.auth import Authenticator
from _shared.http.endpoint import ENDPOINTS
from _shared.http.webhooks import WebhookPayload
from _shared.network import Network
from _shared.runtime import Runtime
from tests.support.credentials import SECRET_KEY, make_settings, make_token, sign
from tests.support.examples import ANSWERS, NHF, snapshot_json
from tests.support.upstream import HangUp, never, upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

    from _shared.http.request import Endpoint
    from _shared.network import Answer

MAIN = Path(__file__).parents[2] / "functions" / "main.py"
FILES = {"metrics": "text/plain; version=0.0.4; charset=utf-8"}
"""Functions that answer with a file and never with JSON, and its type."""
SQL = 'insert into private.secrets values ("LEAK")'
SECONDS, FEW_SECONDS = 30, 0.2

ANSWERED: dict[str, Any] = ANSWERS | {
    "get_health": ANSWERS["get_health"] | {"last_error": f"{SQL} failed"},
    "read_hierarchy_stats": ANSWERS["read_hierarchy_stats"] | {"stale": True},
    "organization_settings": [{"organization_id": str(NHF)}],
    "bufdir_metric_snapshots": [snapshot_json()],
}
"""The examples of SQL functions, and what tables hold."""


def load_functions() -> dict[str, Starlette]:
    """Load `main.py` as Functions Framework does, and make an app of each function in it."""
    module, spec = _function_registry.load_function_module(str(MAIN))  # type: ignore[no-untyped-call]
    spec.loader.exec_module(module)
    exported = _function_registry.ASGI_FUNCTIONS & set(vars(module))
    return {
        name: create_asgi_app_from_module(name, str(MAIN), None, module, spec)  # type: ignore[no-untyped-call]
        for name in exported
    }


FAILURES: dict[str, httpx.Response | Exception] = {
    "hung-up": HangUp(SQL),
    "no-database": httpx.Response(503, json={"code": "PGRST001", "message": SQL, "details": SQL}),
    "gateway-error": httpx.Response(502, text=f"<html>{SQL}</html>"),
    "switched-off": httpx.Response(423, json={"code": "PT423", "message": SQL, "hint": SECRET_KEY}),
    "limited": httpx.Response(429, json={"code": "rate_limited", "hint": SQL}, headers={"retry-after": "9"}),
    "statement-timeout": httpx.Response(500, json={"code": "57014", "message": SQL}),
    "sql-error": httpx.Response(400, json={"code": "23505", "message": SQL, "hint": SECRET_KEY}),
    "nonsense": httpx.Response(200, json={"unexpected": SQL}),
    "not-json": httpx.Response(200, text=f"<html>{SQL}</html>"),
}


@dataclass
class Behind:
    """What the functions find behind `SUPABASE_URL`.

    mode  : "good", "hanging", "bug" (of ours, instead of asking), or a key of `FAILURES`.
    asked : the SQL functions and relations asked for, in order.
    """

    mode: str = "good"
    answers: dict[str, Any] = field(default_factory=lambda: dict(ANSWERED))
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked.append(name)
        if self.mode == "good":
            return httpx.Response(200, content=exact_json.dumps(self.answers[name]))
        if self.mode == "hanging":
            return await never(request)
        failure = FAILURES[self.mode]
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure.status_code, headers=failure.headers, content=failure.content)


@dataclass
class Function:
    """One function, and how to call it well."""

    spec: Endpoint
    client: httpx.AsyncClient
    network: Behind
    app: Starlette

    def give_up_after(self, seconds: float) -> None:
        """Let the function wait for so long."""
        runtime: Runtime = self.app.state.runtime
        settings = runtime.settings.model_copy(update={"upstream_timeout_seconds": seconds})
        self.app.state.runtime = replace(runtime, settings=settings)

    @property
    def method(self) -> str:
        return self.spec.methods[0]

    @property
    def media_type(self) -> str:
        """The type of what it answers where all is well."""
        return FILES.get(self.spec.name, "application/json")

    @property
    def kept_path(self) -> str:
        """Its path in the address that clients know."""
        return f"/functions/v1/{self.spec.slug}"

    def accepts(self, kind: type[Caller]) -> bool:
        return kind in self.spec.callers or Anonymous in self.spec.callers

    def body(self, kind: type[Caller]) -> bytes:
        """A valid body for this kind of caller."""
        if self.method not in {"POST", "PUT"}:
            return b""
        if kind is Webhook:
            return json.dumps(example(WebhookPayload)).encode()
        return json.dumps(example(self.spec.input)).encode() if self.spec.source == "body" else b""

    def headers(self, kind: type[Caller], body: bytes) -> dict[str, str]:
        """Valid credentials for this kind of caller."""
        if kind is Webhook:
            return sign(body)
        if kind is Service:
            return {"apikey": SECRET_KEY}
        return {"authorization": f"Bearer {make_token()}"} if kind is User else {}

    async def call(
        self,
        kind: type[Caller],
        *,
        method: str | None = None,
        path: str = "/",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Call as this kind of caller, rightly but for what is given."""
        body = self.body(kind) if body is None else body
        headers = self.headers(kind, body) if headers is None else headers
        if query is None:
            query = example(self.spec.input) if self.spec.source == "query" else {}
        return await self.client.request(
            method or self.method, path, params=query, content=body, headers=headers
        )

    def some_caller(self) -> type[Caller]:
        """A kind of caller that is let in; the same one every time."""
        return min(self.spec.callers, key=lambda kind: kind.__name__)


def example(model: Any) -> dict[str, Any]:
    """The valid input that a model shows; one without required fields needs none."""
    examples = model.model_config.get("json_schema_extra", {}).get("examples", [{}])
    first: dict[str, Any] = examples[0]
    return first


class Out(Network):
    """The way out, which has a bug when it is told to."""

    def __init__(self, behind: Behind) -> None:
        super().__init__(SECONDS)
        self._behind = behind

    async def send(self, *arguments: Any, **options: Any) -> Answer:
        if self._behind.mode == "bug":
            raise ZeroDivisionError(f"{SQL} {SECRET_KEY}")
        return await super().send(*arguments, **options)


@asynccontextmanager
async def served(name: str, app: Starlette) -> AsyncIterator[Function]:
    """Put a function before a server of its own."""
    behind = Behind()
    async with upstream(behind) as server:
        settings = make_settings(SUPABASE_URL=server.url, FERSK_UPSTREAM_TIMEOUT_SECONDS=SECONDS)
        out = Out(behind)
        app.state.runtime = Runtime(settings, Database(settings, out), Authenticator(settings, out))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://function") as client:
            yield Function(ENDPOINTS[name], client, behind, app)
