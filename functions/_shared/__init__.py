"""What the functions stand on."""

from __future__ import annotations

import os

# Looking for plugins reads every installed package's metadata.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
