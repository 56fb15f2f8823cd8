"""What the database answers, as this code relies on it. Keys added by later migrations are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

Role = Literal["peer_mentor", "coordinator", "org_admin"]


def _whole(value: object) -> object:
    return round(value) if isinstance(value, float | Decimal) else value


Milliseconds = Annotated[int, BeforeValidator(_whole)]
Seconds = Annotated[int, BeforeValidator(_whole)]


def _exact(value: object) -> object:
    # JSON numbers with a point arrive as floats; the shortest text of one is what was sent, up to 15 digits.
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


Amount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(max_digits=15, decimal_places=2),
    PlainSerializer(float, when_used="json"),  # a JSON number again, as PostgREST gives it
]


class Row(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RefreshReport(Row):
    """Answer of `refresh_stats_views()`.

    outcome         : `failed` says that the database keeps the reason; the changes stay in its log.
    refreshed_at    : when `mv_*` were last refreshed, by this call or an earlier one.
    applied_changes : changes that `mv_*` lacked and this call brought into them.
    duration_ms     : time the refresh took; 0 when there was none.
    """

    outcome: Literal["refreshed", "debounced", "already_running", "nothing_pending", "failed"]
    refreshed_at: AwareDatetime | None
    applied_changes: int
    duration_ms: Milliseconds


class DatabaseHealth(Row):
    """Answer of `get_health()`; the database's last error stays in the database.

    pending_changes    : changes that `mv_*` lack; live statistics have them.
    differences        : what audits of the last day found to differ from the activities.
    last_difference_at : when an audit last found any; None if never.
    """

    last_refreshed_at: AwareDatetime | None
    last_sweep_at: AwareDatetime | None
    pending_changes: int
    oldest_pending_seconds: Seconds | None
    differences: int
    last_difference_at: AwareDatetime | None


class Profile(Row):
    """A row of `profiles`, as its owner may read it."""

    organization_id: UUID
    role: Role
    is_active: bool


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


class SummarySettings(Row):
    """The part of a row of `organization_settings` that identifies it."""

    organization_id: UUID


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
