"""Decides what a reader of a summary gets, and what happens behind the answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from _shared.result import Err, Ok, Result
from hierarchy_stats.models import HierarchyStats

if TYPE_CHECKING:
    from datetime import date

    from _shared.call import Call
    from hierarchy_stats.models import HierarchyQuery
    from hierarchy_stats.reads import ReadCounter
    from hierarchy_stats.recomputation import Recomputations


async def summarise(
    call: Call[HierarchyQuery], recomputations: Recomputations, reads: ReadCounter, today: date
) -> Result[HierarchyStats]:
    """Give a summary at once, stale or not; a stale one is computed anew behind the answer.

    today  : the day in UTC.
    Errors : forbidden (not a unit the user follows up, or none at all), feature_disabled (the
             organisation's kill switch), bad_request, unauthorized, upstream_unavailable, upstream_timeout,
             internal.
    Source : public.read_hierarchy_stats(), public.refresh_hierarchy_entry().
    """
    unit_id, year = call.input.unit_id, call.input.year or today.year
    found = await call.database.read_hierarchy_stats(call.user, unit_id, year)
    if isinstance(found, Err):
        return found
    entry = found.value
    reads.add(unit_id)
    is_refreshing = entry.stale and recomputations.accepts(unit_id, year)
    if is_refreshing:
        call.after.append(partial(recomputations.run, call.database, unit_id, year))
    call.after.append(partial(reads.flush, call.database))
    return Ok(HierarchyStats(**dict(entry), refreshing=is_refreshing))
