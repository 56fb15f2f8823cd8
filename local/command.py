"""What all commands have in common for the person who reads them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console

from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_WIDTH = 160  # where there is no terminal to ask: no table of ours is wider


def run(command: Callable[[], int]) -> int:
    """Run a command. Returns its exit status, which is 1 after an error of the stack or of its database.

    Ctrl-C is not caught here, see `local/__init__.py`.
    """
    try:
        return command()
    except (StackError, psycopg.OperationalError) as error:
        errors = Console(stderr=True, soft_wrap=True)
        errors.print("[red bold]error[/red bold]: ", end="")
        errors.out(str(error).strip(), highlight=False)
        return 1


def tables() -> Console:
    """Give the console for tables: as wide as the terminal, or in a log as wide as they need it."""
    return Console(width=None if sys.stdout.isatty() else LOG_WIDTH)
