"""What lives as long as the process: settings, the database, and who tells callers apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from _shared.database import Database
from _shared.http.auth import Authenticator
from _shared.http.places import Places
from _shared.network import Network
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
    """Give the process's runtime; the first call makes it."""
    network = Network(settings().upstream_timeout_seconds)
    return Runtime(settings(), Database(settings(), network), Authenticator(settings(), network))
