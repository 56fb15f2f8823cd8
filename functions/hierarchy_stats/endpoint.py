"""`GET /functions/v1/hierarchy-stats?unit_id=…&year=…`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from _shared.callers import User
from _shared.endpoint import endpoint
from hierarchy_stats.core import summarise
from hierarchy_stats.models import HierarchyQuery, HierarchyStats
from hierarchy_stats.reads import ReadCounter
from hierarchy_stats.recomputation import Recomputations

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result

RECOMPUTATIONS = Recomputations()
READS = ReadCounter()


@endpoint("GET", callers={User}, query=HierarchyQuery)
async def hierarchy_stats(call: Call[HierarchyQuery]) -> Result[HierarchyStats]:
    """Give the summary of a unit and all below it."""
    return await summarise(call, RECOMPUTATIONS, READS, datetime.now(UTC).date())
