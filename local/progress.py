"""How the steps of a start are shown: a spinner on a terminal, one line each elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from rich.console import Console


class Progress:
    """Told about each step while it runs; shows nothing, for tests."""

    def step(self, _title: str, /) -> AbstractContextManager[None]:
        """Surround one step."""
        return nullcontext()


class Terminal(Progress):
    """Shows each step with its duration; colours and motion only where the terminal can and wants to."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str, /) -> Iterator[None]:
        """Surround one step; a failed one is marked and its error passed on."""
        started = time.monotonic()
        try:
            with self._console.status(title) if self._console.is_terminal else nullcontext():
                yield
        except BaseException:
            self._console.print(f"[red]✗[/red] {title}", highlight=False)
            raise
        seconds = time.monotonic() - started
        self._console.print(f"[green]✓[/green] {title} [dim]{seconds:.1f} s[/dim]", highlight=False)
