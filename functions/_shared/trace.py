"""The W3C trace context of the request that is being served: one id in every log that it leaves a line in.

It comes from the app, or begins here; it goes to PostgREST, and from there with what the database sends.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "traceparent"
_VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def begin(given: str | None) -> None:
    """Take what came with the request; what is missing or no trace context begins anew.

    Holds for this task and those that it starts.
    """
    fits = given is not None and _VALID.fullmatch(given)
    _current.set(given if fits else f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")


def headers() -> dict[str, str]:
    """Give what a call on the way out is to carry; nothing outside of a request."""
    current = _current.get()
    return {HEADER: current} if current else {}


def trace_id() -> str | None:
    """Give the id for the log; None outside of a request."""
    current = _current.get()
    return current.split("-")[1] if current else None
