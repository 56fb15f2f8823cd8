"""`POST /functions/v1/invalidate-hierarchy-cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import Service, Webhook
from _shared.endpoint import endpoint
from invalidate_hierarchy_cache.core import Background, invalidate_hierarchy

if TYPE_CHECKING:
    from _shared.call import Call, Input
    from _shared.result import Result
    from invalidate_hierarchy_cache.models import InvalidationReport

BACKGROUND = Background()


@endpoint("POST", callers={Webhook, Service})
async def invalidate_hierarchy_cache(call: Call[Input]) -> Result[InvalidationReport]:
    """Mark the summaries that changes outdated, tell the apps, and compute the most read ones anew."""
    return await invalidate_hierarchy(call, BACKGROUND)
