"""`POST /functions/v1/warm-hierarchy-cache`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from _shared.callers import Service, Webhook
from _shared.endpoint import endpoint
from _shared.warm_up import WarmUps
from warm_hierarchy_cache.core import warm_hierarchy
from warm_hierarchy_cache.models import WarmRequest, WarmUpReport

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result

WARM_UPS = WarmUps()


@endpoint("POST", callers={Webhook, Service}, body=WarmRequest)
async def warm_hierarchy_cache(call: Call[WarmRequest]) -> Result[WarmUpReport]:
    """Compute summaries before somebody asks for them."""
    return await warm_hierarchy(call, WARM_UPS, datetime.now(UTC).date())
