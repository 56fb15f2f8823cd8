"""What the functions stand on."""

from __future__ import annotations

import os

os.environ.setdefault(
    "PYDANTIC_DISABLE_PLUGINS", "__all__"
)  # looking for them reads every package's metadata
