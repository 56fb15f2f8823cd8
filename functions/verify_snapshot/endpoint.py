"""`GET /functions/v1/verify-snapshot?period_start&period_end`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import User
from _shared.endpoint import endpoint
from verify_snapshot.core import verify
from verify_snapshot.models import Period, Verification

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result


@endpoint("GET", callers={User}, query=Period)
async def verify_snapshot(call: Call[Period]) -> Result[Verification]:
    """Compute the saved figures of a period anew, and list what differs."""
    return await verify(call.user, call.input, call.database)
