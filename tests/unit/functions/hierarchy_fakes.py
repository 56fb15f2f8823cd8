"""The hierarchy's part of the database in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from _shared.result import Err, Ok, Result
from _shared.rows import DrainReport, HierarchyEntry, WarmUpReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _shared.callers import User

UNIT = UUID("7d444840-9dc0-41d1-b245-5ffdce74fad2")
NHF = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
HLF = UUID("1f0e0d0c-0b0a-4908-8706-050403020100")


def make_batch(**overrides: Any) -> DrainReport:
    return DrainReport.model_validate(
        {"units": 1, "invalidated": 3, "organization_ids": [NHF], "more": False} | overrides
    )


def make_payload(**overrides: Any) -> dict[str, Any]:
    """A payload as PostgREST gives it."""
    return {
        "activity_count": 3,
        "total_hours": 4.25,
        "participant_count": 17,
        "distinct_contacts": 2,
        "active_peer_mentors": 2,
        "chapters_reporting": 1,
        "categories": {"INDIVIDUAL": 2, "uncategorised": 1},
        "approved_expenses_nok": 1234.5,
    } | overrides


def make_entry(**overrides: Any) -> HierarchyEntry:
    return HierarchyEntry.model_validate(
        {
            "unit_id": UNIT,
            "year": 2026,
            "payload": make_payload(),
            "computed_at": datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
            "stale": False,
        }
        | overrides
    )


@dataclass
class FakeHierarchy:
    """`HierarchyDatabase` in memory.

    failure  : what every call answers instead, when set.
    failures : what a method answers instead, by name.
    calls    : the names of the methods called, in order; `asked` has their arguments, too.
    batches  : what draining gives, one after the other; then nothing.
    """

    failure: Err | None = None
    failures: dict[str, Err] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    batches: list[DrainReport] = field(default_factory=list)
    warmed: WarmUpReport = field(default_factory=lambda: WarmUpReport(warmed=2, skipped=1))
    organization_ids: list[UUID] = field(default_factory=lambda: [NHF, HLF])
    entry: HierarchyEntry = field(default_factory=make_entry)
    reads: Counter[UUID] = field(default_factory=Counter)

    def _ask(self, name: str, *arguments: object) -> Err | None:
        self.calls.append(name)
        self.asked.append((name, *arguments))
        return self.failure or self.failures.get(name)

    async def acknowledge_wake_ups(self) -> Result[int]:
        return self._ask("acknowledge_wake_ups") or Ok(1)

    async def take_unit_changes(self) -> Result[DrainReport]:
        nothing = make_batch(units=0, invalidated=0, organization_ids=[])
        return self._ask("take_unit_changes") or Ok(self.batches.pop(0) if self.batches else nothing)

    async def request_invalidation_again(self) -> Result[int]:
        return self._ask("request_invalidation_again") or Ok(4711)

    async def warm_hierarchy_cache(
        self, organization_id: UUID | None, seconds: float
    ) -> Result[WarmUpReport]:
        return self._ask("warm_hierarchy_cache", organization_id, seconds) or Ok(self.warmed)

    async def list_warmed_organizations(self) -> Result[list[UUID]]:
        return self._ask("list_warmed_organizations") or Ok(self.organization_ids)

    async def precompute_hierarchy(self, organization_id: UUID, year: int) -> Result[int]:
        return self._ask("precompute_hierarchy", organization_id, year) or Ok(46)

    async def read_hierarchy_stats(self, user: User, unit_id: UUID, year: int) -> Result[HierarchyEntry]:
        return self._ask("read_hierarchy_stats", user, unit_id, year) or Ok(self.entry)

    async def refresh_hierarchy_entry(self, unit_id: UUID, year: int) -> Result[bool]:
        return self._ask("refresh_hierarchy_entry", unit_id, year) or Ok(value=True)

    async def record_node_reads(self, reads: Mapping[UUID, int]) -> Result[int]:
        failure = self._ask("record_node_reads", dict(reads))
        if failure:
            return failure
        self.reads.update(reads)
        return Ok(len(reads))
