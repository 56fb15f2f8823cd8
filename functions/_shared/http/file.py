"""An answer that is a file to keep, not JSON to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """What is sent as it is, for the browser to save under `name`: ASCII, without quotes."""

    name: str
    media_type: str
    content: bytes
