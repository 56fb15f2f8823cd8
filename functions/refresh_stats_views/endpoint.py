"""`POST /functions/v1/refresh-stats-views`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import Service, User, Webhook
from _shared.endpoint import endpoint
from refresh_stats_views.core import refresh_statistics
from refresh_stats_views.models import RefreshReport, RefreshRequest

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result


@endpoint("POST", callers={Webhook, Service, User}, body=RefreshRequest)
async def refresh_stats_views(call: Call[RefreshRequest]) -> Result[RefreshReport]:
    """Bring the statistics snapshots up to date."""
    return await refresh_statistics(call)
