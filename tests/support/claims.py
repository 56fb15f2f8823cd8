"""State directories of tests: in use until the test run ends, however it ends."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from local.config import private

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

_held: list[TextIO] = []


def claim(state_dir: Path) -> None:
    """Create the directory and hold it for as long as this process lives."""
    state_dir.mkdir()
    file = private(state_dir / "owner").open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    _held.append(file)


def is_claimed(state_dir: Path) -> bool:
    """Whether the test run that made this directory is still there."""
    with (state_dir / "owner").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
