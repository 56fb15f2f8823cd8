"""`GET /functions/v1/health`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import Anonymous
from _shared.endpoint import endpoint
from health.core import check_health

if TYPE_CHECKING:
    from _shared.call import Call, Input
    from _shared.result import Result
    from health.models import HealthReport


@endpoint("GET", callers={Anonymous})
async def health(call: Call[Input]) -> Result[HealthReport]:
    """Say whether the database is reachable, and how far the statistics are behind."""
    return await check_health(call.database)
