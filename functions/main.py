"""What Functions Framework and Cloud Run deploy by name: each module here holds one, its namesake.

A service serves one function, which `FUNCTION_TARGET` names, and loads no other; without it, all are loaded.
"""

from __future__ import annotations

import logging
import os
import pkgutil
from importlib import import_module
from pathlib import Path

from _shared import logs
from _shared.settings import settings

_found = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
NAMES = [name for name in _found if name != "main" and not name.startswith("_")]
_target = os.environ.get("FUNCTION_TARGET")
for _name in [_target] if _target in NAMES else NAMES:
    globals()[_name] = getattr(import_module(_name), _name)

# A missing variable stops the process here, not the first request.
logs.configure(settings().log_level)
# Two verifiers are right while a project changes over to public keys; afterwards the old secret must go.
logs.log(
    logging.WARNING if len(settings().verifiers) > 1 else logging.INFO,
    "started",
    verifiers=settings().verifiers,
)
