"""What the upkeep of the statistics remembers outside of transactions."""

from __future__ import annotations

from typing import LiteralString

# As if nothing had been asked for of late: the next writer asks for a fold, and for a refresh if it is time.
FORGET_WHAT_WAS_ASKED: LiteralString = (
    "select setval('stats.refresh_asked_at', 0), setval('stats.fold_asked_at', 0, false)"
)
