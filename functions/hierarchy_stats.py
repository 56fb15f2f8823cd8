"""`GET /functions/v1/hierarchy-stats?unit_id&year`: a summary at once, and what is done behind the answer."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import ConfigDict, Field

from _shared.background import SingleFlight
from _shared.callers import User
from _shared.database.client import is_unexpected
from _shared.database.hierarchy import HierarchyEntry
from _shared.http.endpoint import endpoint
from _shared.inputs import Input
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from _shared.database import Database
    from _shared.http.request import Call

    Recomputations: TypeAlias = SingleFlight[tuple[UUID, int]]

MAX_AT_ONCE = 4  # of the process's sixteen connections; the others serve readers
FLUSH_SECONDS = 5.0
FLUSH_READS = 100


class HierarchyQuery(Input):
    """Which summary.

    year : of activity_date; if not given, the current one in UTC, so name it around New Year.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"unit_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "year": "2026"}]}
    )

    unit_id: UUID
    year: int | None = Field(None, ge=2000, le=2099)


class HierarchyStats(HierarchyEntry):
    """A summary, and how it stands with it.

    stale      : it was computed before the last change.
    refreshing : it is being computed anew behind this answer; ask again in a moment.
    """

    refreshing: bool


class ReadCounter:
    """Counts reads in memory and hands them to the database in batches, so that no read has to write.

    A crash loses what the database has not been told of, which is fine: reads only rank the units for the
    warm-up and the unit picker.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reads: Counter[UUID] = Counter()
        self._flushed_at: float | None = None

    def add(self, unit_id: UUID) -> None:
        """Count one read."""
        self._reads[unit_id] += 1

    async def flush(self, database: Database) -> Result[int] | None:
        """Write them down if it is time: five seconds after the last time, or a hundred reads.

        Errors: what kept the database from noting them; they are kept for the next time.
        """
        if not self._is_due():
            return None
        reads, self._reads = self._reads, Counter()
        self._flushed_at = self._clock()
        noted = await database.record_node_reads(reads)
        if isinstance(noted, Err):
            self._reads.update(reads)
        return noted

    def _is_due(self) -> bool:
        if self._reads.total() == 0:
            return False
        is_time = self._flushed_at is None or self._clock() - self._flushed_at >= FLUSH_SECONDS
        return is_time or self._reads.total() >= FLUSH_READS


RECOMPUTATIONS: Recomputations = SingleFlight(MAX_AT_ONCE)
READS = ReadCounter()


@endpoint("GET", callers={User}, query=HierarchyQuery)
async def hierarchy_stats(call: Call[HierarchyQuery]) -> Result[HierarchyStats]:
    """Give the summary of a unit and all below it."""
    return await summarise(call, RECOMPUTATIONS, READS, datetime.now(UTC).date())


async def summarise(
    call: Call[HierarchyQuery], recomputations: Recomputations, reads: ReadCounter, today: date
) -> Result[HierarchyStats]:
    """Give a summary at once, stale or not; a stale one is computed anew behind the answer.

    Many readers of one stale summary cause one computation in this process; the database sees to it among
    processes. Where there is no room for another, the next reader will ask again. One that cannot be read is
    computed anew first.

    today  : the day in UTC.
    Errors : forbidden (not a unit the user follows up, or none at all), feature_disabled (the
             organisation's kill switch), bad_request, unauthorized, upstream_unavailable, upstream_timeout,
             internal.
    Source : public.read_hierarchy_stats(), public.refresh_hierarchy_entry().
    """
    unit_id, year = call.input.unit_id, call.input.year or today.year
    found = await call.database.read_hierarchy_stats(call.user, unit_id, year)
    if is_unexpected(found):
        # The user may read the unit, or there would be no answer; what the cache has of it, nobody can read.
        await call.database.refresh_hierarchy_entry(unit_id, year)
        found = await call.database.read_hierarchy_stats(call.user, unit_id, year)
    if isinstance(found, Err):
        return found
    entry = found.value
    reads.add(unit_id)
    is_refreshing = entry.stale and recomputations.accepts((unit_id, year))
    if is_refreshing:
        compute = partial(call.database.refresh_hierarchy_entry, unit_id, year)
        call.after.append(partial(recomputations.run, (unit_id, year), compute))
    call.after.append(partial(reads.flush, call.database))
    return Ok(HierarchyStats(**dict(entry), refreshing=is_refreshing))
