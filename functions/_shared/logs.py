"""One JSON line per event, with an allow-list of keys: ids, counts and codes, never content.

Bodies, names, e-mail addresses, headers and tokens have no key here, and exception messages are left out
too, because a message may quote any of them.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict, Unpack

from _shared import trace

if TYPE_CHECKING:
    from types import TracebackType

LOGGER_NAME = "fersk"
_logger = logging.getLogger(LOGGER_NAME)


class Fields(TypedDict, total=False):
    """Everything a line may say besides its time, severity and event."""

    function: str
    method: str
    request_id: str
    trace_id: str
    caller: str
    status: int
    outcome: str
    cause: str
    duration_ms: float
    verifiers: list[str]
    error_type: str
    trace: list[str]


class JsonLines(logging.Handler):
    """Writes each record of this module as one JSON line; `severity` is the key Cloud Logging reads."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write to what is stdout now: servers and test runners replace it."""
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "event": record.msg,
        }
        sys.stdout.write(json.dumps(line | getattr(record, "fields", {})) + "\n")
        sys.stdout.flush()


def configure(level: str) -> None:
    """Send this package's lines to stdout from `level` on. Harmless when repeated."""
    # A logger of our own: Functions Framework keeps the root logger at WARNING and may reconfigure it.
    _logger.setLevel(level)
    _logger.propagate = False
    if not any(isinstance(handler, JsonLines) for handler in _logger.handlers):
        _logger.addHandler(JsonLines())


def log(level: int, event: str, **fields: Unpack[Fields]) -> None:
    """Write one line.

    Raises ValueError for a key outside `Fields`: mypy sees it first, this is for what mypy does not see.
    """
    if unknown := fields.keys() - Fields.__annotations__.keys():
        raise ValueError(f"not a log field: {', '.join(sorted(unknown))}")
    if trace_id := trace.trace_id():
        fields["trace_id"] = trace_id
    _logger.log(level, event, extra={"fields": fields})


def log_exception(event: str, error: BaseException, **fields: Unpack[Fields]) -> None:
    """Write an ERROR line with the types and frames of `error` and its causes, without their messages."""
    fields["error_type"] = " < ".join(type(link).__qualname__ for link in _chain(error))
    fields["trace"] = [frame for link in _chain(error) for frame in _frames(link.__traceback__)]
    log(logging.ERROR, event, **fields)


def _chain(error: BaseException) -> list[BaseException]:
    links = [error]
    while (cause := links[-1].__cause__ or links[-1].__context__) and cause not in links:
        links.append(cause)
    return links


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
