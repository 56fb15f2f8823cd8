"""A stack that one folder or file of tests has for itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.config import Ports
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextmanager
def own_stack(folders: pytest.TempPathFactory, name: str) -> Iterator[Stack]:
    """Give a running stack on ports of its own, in a folder `.stack`; it is destroyed at the end."""
    stack = Stack(folders.mktemp(name) / ".stack", Ports.free())
    try:
        stack.start()
        yield stack
    finally:
        stack.destroy()
