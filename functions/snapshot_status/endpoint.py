"""`GET /functions/v1/snapshot-status?period_start&period_end`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import User
from _shared.endpoint import endpoint
from snapshot_status.core import check_status
from snapshot_status.models import Period, StatusReport

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result


@endpoint("GET", callers={User}, query=Period)
async def snapshot_status(call: Call[Period]) -> Result[StatusReport]:
    """Say whether the saved figures of a period may be exported, and why not."""
    return await check_status(call.user, call.input, call.database)
