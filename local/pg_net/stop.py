"""A stop request that a wait for other things can watch, too."""

from __future__ import annotations

import selectors
import socket
from typing import Protocol, Self


class Readable(Protocol):
    """Anything with a descriptor to read from."""

    def fileno(self) -> int:
        """Give the descriptor."""


def wait_readable(files: tuple[Readable, ...], seconds: float | None) -> list[object]:
    """Wait until at least one of `files` can be read, at most `seconds`; those that can."""
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(seconds)]


class Stop:
    """Set once, from a signal handler or a thread; readable as a file from then on."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._is_set = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._writer.close()

    def set(self) -> None:
        """Ask for the stop; repeating it is harmless."""
        if not self._is_set:
            self._is_set = True
            self._writer.send(b"\0")

    def is_set(self) -> bool:
        """Whether the stop was asked for."""
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Pause for `seconds`, or until the stop is asked for."""
        wait_readable((self,), seconds)

    def fileno(self) -> int:
        """Give the descriptor to watch."""
        return self._reader.fileno()
