"""Counts reads in memory and hands them to the database in batches, so that no read has to write."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from _shared.result import Err, Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from _shared.database import Database

FLUSH_SECONDS = 5.0
FLUSH_READS = 100


class ReadCounter:
    """The reads of this process that the database has not been told of; a crash loses them, which is fine.

    They only rank the units for the warm-up and the unit picker.
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
