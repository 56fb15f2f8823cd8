"""What lives as long as the process: settings, the database, the verifier of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from _shared.database import Database, SupabaseDatabase
from _shared.rest import make_http_client
from _shared.settings import Settings, settings
from _shared.tokens import TokenVerifier

if TYPE_CHECKING:
    from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything an endpoint needs from outside the request."""

    settings: Settings
    database: Database
    tokens: TokenVerifier


@cache
def process_runtime() -> Runtime:
    """Give the process's runtime. First called by a request, because its connections must not be forked."""
    http = make_http_client(settings())
    return Runtime(settings(), SupabaseDatabase(settings(), http), TokenVerifier(settings(), http))


def runtime_of(app: Starlette) -> Runtime:
    """Give the runtime that whoever built `app` put into `app.state.runtime`, else the process's."""
    given: Runtime | None = getattr(app.state, "runtime", None)
    return given or process_runtime()
