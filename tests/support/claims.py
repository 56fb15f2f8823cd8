"""State directories of tests: in use until the test run ends, however it ends."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.config import private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def claimed(state_dir: Path) -> Iterator[None]:
    """Create the directory and hold it until the block ends, or this process does."""
    state_dir.mkdir()
    with private(state_dir / "owner").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_claimed(state_dir: Path) -> bool:
    """Whether the test run that made this directory is still there."""
    with (state_dir / "owner").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
