"""How a command ends for the person at the terminal: no traceback for what they can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from rich.console import Console

from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable


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
