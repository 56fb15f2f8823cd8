"""The one error that the local stack shows to its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOG_TAIL_LINES = 15


class StackError(Exception):
    """Something that the person at the terminal can act on.

    message : what went wrong and what to do about it, one or more lines.
    log     : the file that tells more; its last lines are shown below the message.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        if log and log.exists():
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
            message = "\n".join([message, "", f"Last lines of {log}:", *lines])
        super().__init__(message)


class NotRunningError(StackError):
    """A command that needs a running stack found none, whether it was stopped or never started."""

    def __init__(self) -> None:
        super().__init__("not running: make start")


class PortTakenError(StackError):
    """A part cannot listen where it should."""
