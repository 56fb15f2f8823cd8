"""What lives as long as the process: settings, the database, and who tells callers apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from _shared.database import Database
from _shared.database.client import make_http_client
from _shared.http.auth import Authenticator, Places
from _shared.settings import Settings, settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything an endpoint needs from outside the request."""

    settings: Settings
    database: Database
    authenticator: Authenticator
    places: Places = field(default_factory=Places)


@cache
def process_runtime() -> Runtime:
    """Give the process's runtime. First called by a request, because its connections must not be forked."""
    http = make_http_client(settings())
    return Runtime(settings(), Database(settings(), http), Authenticator(settings(), http))
