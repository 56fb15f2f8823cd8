"""Computes stale summaries anew behind the answers: each at most once at a time, and not too many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from _shared.database import Database
    from _shared.result import Result

MAX_AT_ONCE = 4  # of the process's sixteen connections; the others serve readers


class Recomputations:
    """The computations of this process that are under way, by unit and year.

    Many readers of one stale summary cause one; the database sees to it among processes.
    """

    def __init__(self) -> None:
        self._running: set[tuple[UUID, int]] = set()

    def accepts(self, unit_id: UUID, year: int) -> bool:
        """Whether this summary is being computed, or would be at once."""
        return (unit_id, year) in self._running or len(self._running) < MAX_AT_ONCE

    async def run(self, database: Database, unit_id: UUID, year: int) -> Result[bool] | None:
        """Compute it, unless that is being done or there is no room: then the next reader will ask again.

        Errors: what kept the database from it; the summary stays stale.
        """
        key = (unit_id, year)
        if key in self._running or not self.accepts(unit_id, year):
            return None
        self._running.add(key)
        try:
            return await database.refresh_hierarchy_entry(unit_id, year)
        finally:
            self._running.discard(key)
