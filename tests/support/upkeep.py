"""What a test may have to set on a stack of its own, so that what others did or asked for does not count."""

from __future__ import annotations

from typing import LiteralString

# As if nothing had been asked for of late: the next writer asks for a fold, and for a refresh if it is time.
FORGET_WHAT_WAS_ASKED: LiteralString = (
    "select setval('stats.refresh_asked_at', 0), setval('stats.fold_asked_at', 0, false)"
)

# For who compares everything again and again: on a stack of their own alone, where no limit is tested.
LIFT_LIMITS: LiteralString = (
    "update private.work_limits set person_burst = 1000000, organization_burst = 1000000 where true"
)
