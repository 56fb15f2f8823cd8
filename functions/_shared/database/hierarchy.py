"""The tree of units: cached summaries, and the log of what outdates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import (
    AwareDatetime,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)

from _shared.database.client import Client, Number, Row, row, scalar, unexpected
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _shared.callers import User


Amount = Annotated[
    Number,
    Field(max_digits=15, decimal_places=2),
    PlainSerializer(float, when_used="json"),  # a JSON number again, as PostgREST gives it
]


class DrainReport(Row):
    """Answer of `take_unit_changes()`.

    units            : units whose change was pending.
    invalidated      : summaries marked: theirs and their ancestors', by year.
    organization_ids : whose they are.
    more             : a writer is between its wake-up and its commit, or another drain at work: drain again.
    """

    units: int
    invalidated: int
    organization_ids: tuple[UUID, ...]
    more: bool


class WarmUpReport(Row):
    """Answer of `warm_hierarchy_cache()`.

    warmed  : summaries computed.
    skipped : outdated ones left, because the time was over or somebody else was computing them.
    """

    warmed: int
    skipped: int

    def __add__(self, other: WarmUpReport) -> WarmUpReport:
        return WarmUpReport(warmed=self.warmed + other.warmed, skipped=self.skipped + other.skipped)


class HierarchyPayload(Row):
    """What a unit and all below it add up to in a year: aggregates, no personal data.

    categories            : number of activities by Bufdir category code, `uncategorised` among them.
    approved_expenses_nok : in kroner.
    """

    model_config = ConfigDict(strict=True)

    activity_count: int
    total_hours: Amount
    participant_count: int
    distinct_contacts: int
    active_peer_mentors: int
    chapters_reporting: int
    categories: dict[str, int]
    approved_expenses_nok: Amount


class HierarchyEntry(Row):
    """Answer of `read_hierarchy_stats()`.

    stale : something has changed, or may have, since `computed_at`.
    """

    unit_id: UUID
    year: int
    payload: HierarchyPayload
    computed_at: AwareDatetime
    stale: bool


class SummarySettings(Row):
    """The part of a row of `organization_settings` that identifies it."""

    organization_id: UUID


class Hierarchy(Client):
    """Each method is one transaction; with the secret key but for reading."""

    async def acknowledge_wake_ups(self) -> Result[int]:
        """Take note of the wake-ups sent so far: whoever writes from now on sends another."""
        return scalar(int, await self._call("acknowledge_wake_ups"), "number of wake-ups")

    async def take_unit_changes(self) -> Result[DrainReport]:
        """Drain what is pending: mark the ancestors' summaries and broadcast."""
        return row(DrainReport, await self._call("take_unit_changes"))

    async def request_invalidation_again(self) -> Result[int]:
        """Have another wake-up sent."""
        return scalar(int, await self._call("request_invalidation_again"), "request id")

    async def warm_hierarchy_cache(
        self, organization_id: UUID | None, seconds: float
    ) -> Result[WarmUpReport]:
        """Compute outdated summaries among the most read ones, of one organisation or of all.

        seconds : after which no further computation is begun.
        """
        answer = await self._call(
            "warm_hierarchy_cache", p_organization_id=organization_id, p_seconds=seconds
        )
        return row(WarmUpReport, answer)

    async def list_warmed_organizations(self) -> Result[list[UUID]]:
        """List the organisations that want their summaries computed before somebody asks."""
        answer = await self._select(
            "organization_settings",
            select="organization_id",
            order="organization_id.asc",
            warm_up_enabled="eq.true",
            statistics_enabled="eq.true",
        )
        if isinstance(answer, Err):
            return answer
        try:
            settings = TypeAdapter(list[SummarySettings]).validate_python(answer.value)
        except ValidationError:
            return unexpected("SummarySettings")
        return Ok([each.organization_id for each in settings])

    async def precompute_hierarchy(self, organization_id: UUID, year: int) -> Result[int]:
        """Compute the summary of every unit; the number of them."""
        answer = await self._call("precompute_hierarchy", p_organization_id=organization_id, p_year=year)
        return scalar(int, answer, "number of units")

    async def read_hierarchy_stats(self, user: User, unit_id: UUID, year: int) -> Result[HierarchyEntry]:
        """Read a summary with the user's own rights; a missing one is computed."""
        return row(
            HierarchyEntry, await self._call("read_hierarchy_stats", user, p_unit_id=unit_id, p_year=year)
        )

    async def refresh_hierarchy_entry(self, unit_id: UUID, year: int) -> Result[bool]:
        """Compute a summary anew; false when somebody else is just doing that."""
        answer = await self._call("refresh_hierarchy_entry", p_unit_id=unit_id, p_year=year)
        return scalar(bool, answer, "refreshed")

    async def record_node_reads(self, reads: Mapping[UUID, int]) -> Result[int]:
        """Add numbers of reads, by unit."""
        counts = {str(unit_id): count for unit_id, count in reads.items()}
        return scalar(int, await self._call("record_node_reads", p_reads=counts), "number of units")
