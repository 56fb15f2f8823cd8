"""One JSON line per event on standard output: counts, ids and durations, never URLs, headers or bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal


def log(
    event: str,
    *,
    level: Literal["INFO", "WARNING", "ERROR"] = "INFO",
    **fields: str | float | None,
) -> None:
    """Write `event` with its `fields`; durations carry their unit in the name."""
    line = {"ts": datetime.now(UTC).isoformat(), "level": level, "event": event, **fields}
    print(json.dumps(line), flush=True)
