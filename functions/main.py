"""What Functions Framework and Cloud Run deploy by name: each module here holds one, its namesake.

A service serves one function, which `FUNCTION_TARGET` names, and loads no other; without it, all are loaded.
"""

from __future__ import annotations

import os

import functions_framework.aio

from _shared.http.loading import NAMES, load

_target = os.environ.get("FUNCTION_TARGET")
for _name, _function in load([_target] if _target in NAMES else NAMES).items():
    globals()[_name] = functions_framework.aio.http(_function)
