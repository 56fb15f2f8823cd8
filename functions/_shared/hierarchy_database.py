"""The part of the database that is about the tree: cached summaries, and the log of what outdates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import TypeAdapter, ValidationError

from _shared.rest import Rest, execute, row, scalar, unexpected
from _shared.result import Err, Ok, Result
from _shared.rows import DrainReport, HierarchyEntry, SummarySettings, WarmUpReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from _shared.callers import User

_SETTINGS = TypeAdapter(list[SummarySettings])


class HierarchyDatabase(Protocol):
    """Each method is one transaction."""

    async def acknowledge_wake_ups(self) -> Result[int]:
        """Take note of the wake-ups sent so far: whoever writes from now on sends another."""

    async def take_unit_changes(self) -> Result[DrainReport]:
        """Drain what is pending: mark the ancestors' summaries and broadcast."""

    async def request_invalidation_again(self) -> Result[int]:
        """Have another wake-up sent."""

    async def warm_hierarchy_cache(
        self, organization_id: UUID | None, seconds: float
    ) -> Result[WarmUpReport]:
        """Compute outdated summaries among the most read ones, of one organisation or of all.

        seconds : after which no further computation is begun.
        """

    async def list_warmed_organizations(self) -> Result[list[UUID]]:
        """List the organisations that want their summaries computed before somebody asks."""

    async def precompute_hierarchy(self, organization_id: UUID, year: int) -> Result[int]:
        """Compute the summary of every unit; the number of them."""

    async def read_hierarchy_stats(self, user: User, unit_id: UUID, year: int) -> Result[HierarchyEntry]:
        """Read a summary with the user's own rights; a missing one is computed."""

    async def refresh_hierarchy_entry(self, unit_id: UUID, year: int) -> Result[bool]:
        """Compute a summary anew; false when somebody else is just doing that."""

    async def record_node_reads(self, reads: Mapping[UUID, int]) -> Result[int]:
        """Add numbers of reads, by unit."""


class SupabaseHierarchy(Rest):
    """`HierarchyDatabase` over PostgREST."""

    async def acknowledge_wake_ups(self) -> Result[int]:
        return scalar(int, await self._call("acknowledge_wake_ups"), "number of wake-ups")

    async def take_unit_changes(self) -> Result[DrainReport]:
        return row(DrainReport, await self._call("take_unit_changes"))

    async def request_invalidation_again(self) -> Result[int]:
        return scalar(int, await self._call("request_invalidation_again"), "request id")

    async def warm_hierarchy_cache(
        self, organization_id: UUID | None, seconds: float
    ) -> Result[WarmUpReport]:
        answer = await self._call(
            "warm_hierarchy_cache", p_organization_id=organization_id, p_seconds=seconds
        )
        return row(WarmUpReport, answer)

    async def list_warmed_organizations(self) -> Result[list[UUID]]:
        query = (
            self._service.from_("organization_settings").select("organization_id").order("organization_id")
        )
        answer = await execute(query.eq("warm_up_enabled", value=True).eq("statistics_enabled", value=True))
        if isinstance(answer, Err):
            return answer
        try:
            return Ok([settings.organization_id for settings in _SETTINGS.validate_python(answer.value)])
        except ValidationError:
            return unexpected("SummarySettings")

    async def precompute_hierarchy(self, organization_id: UUID, year: int) -> Result[int]:
        answer = await self._call("precompute_hierarchy", p_organization_id=organization_id, p_year=year)
        return scalar(int, answer, "number of units")

    async def read_hierarchy_stats(self, user: User, unit_id: UUID, year: int) -> Result[HierarchyEntry]:
        return row(
            HierarchyEntry, await self._call("read_hierarchy_stats", user, p_unit_id=unit_id, p_year=year)
        )

    async def refresh_hierarchy_entry(self, unit_id: UUID, year: int) -> Result[bool]:
        answer = await self._call("refresh_hierarchy_entry", p_unit_id=unit_id, p_year=year)
        return scalar(bool, answer, "refreshed")

    async def record_node_reads(self, reads: Mapping[UUID, int]) -> Result[int]:
        counts = {str(unit_id): count for unit_id, count in reads.items()}
        return scalar(int, await self._call("record_node_reads", p_reads=counts), "number of units")
