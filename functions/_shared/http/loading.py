"""Finds the functions, each in the module of its own name, and starts the process that serves them."""

from __future__ import annotations

import gc
import logging
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from _shared import logs
from _shared.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _shared.http.endpoint import Function

_found = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parents[2])])]
NAMES = [name for name in _found if name != "main" and not name.startswith("_")]


def load(names: Iterable[str]) -> dict[str, Function]:
    """Import functions by name, and nothing else; then say that the process has started.

    Raises SettingsError: a missing variable stops the process here, not the first request.
    """
    gc.disable()  # what is loaded now is kept: looking through it again and again is a tenth of the time
    functions = {name: getattr(import_module(name), name) for name in names}
    gc.freeze()
    gc.enable()
    logs.configure(settings().log_level)
    # Two verifiers are right while a project changes over to public keys; afterwards the old secret must go.
    logs.log(
        logging.WARNING if len(settings().verifiers) > 1 else logging.INFO,
        "started",
        verifiers=settings().verifiers,
    )
    return functions
