"""Versions of a report: prepared, approved, sent, exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from _shared.database.client import (
    Client,
    Count,
    Day,
    Hours,
    Id,
    Moment,
    Number,
    StrictRow,
    row,
    unexpected,
)
from _shared.database.reports import BufdirReport  # noqa: TC001 - pydantic reads it
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from uuid import UUID

    from _shared.callers import User
    from _shared.database.snapshots import Period

R = TypeVar("R", bound=StrictRow)
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Format = Literal["csv", "xlsx", "pdf", "json", "audit"]


class Signature(StrictRow):
    """Who took a step, and when.

    local_at : the same moment on the organisation's clocks, `YYYY-MM-DD HH:MM`.
    """

    profile_id: Id
    name: str
    at: Moment
    local_at: str


class MappedType(StrictRow):
    """An activity type as it was reported; null where it had no category."""

    activity_type_id: Id
    activity_type_code: str
    label: str
    bufdir_category_code: str | None


class ReportVersion(StrictRow):
    """What was reported, or was meant to be.

    counting_rule : what counted, as the database says it.
    previous_hash : of the version before it in the organisation's chain.
    """

    id: Id
    organization_id: Id
    organization_name: str
    period_start: Day
    period_end: Day
    version: Count
    report: BufdirReport
    record_count: Count
    source_fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    mapping_version: Count
    mapping: list[MappedType]
    counting_rule: dict[str, object]
    previous_hash: Hash
    hash: Hash
    prepared: Signature
    approved: Signature | None
    sent: Signature | None


class ReportedChapter(StrictRow):
    """What a chapter added to a version."""

    chapter_id: Id
    chapter_name: str
    activity_count: Count
    total_minutes: Count
    participant_count: Count


class ReportedActivity(StrictRow):
    """An activity that a version was made of, as it was; without a person."""

    activity_id: Id
    chapter_id: Id
    activity_type_id: Id
    minutes: Count
    participants: Count


class AuditBasis(StrictRow):
    """What an auditor adds up."""

    chapters: list[ReportedChapter]
    activities: list[ReportedActivity]


class Exported(StrictRow):
    """Answer of `export_report_version()`; `export_id` is its row in `bufdir_export_audit_log`.

    audit : null for any other format.
    """

    export_id: Count
    version: ReportVersion
    audit: AuditBasis | None


class Remark(StrictRow):
    """Something far out in a period, yet to come, or registered late.

    hours    : of `chapter`, those of each peer mentor on average.
    in_all   : how many remarks of this kind there are; the largest are given.
    expected : up to which it would be usual; of `last_year`, what it was the year before.
    """

    kind: Literal["person_day", "person", "chapter", "day", "participants", "last_year", "future", "late"]
    chapter_id: Id | None
    chapter_name: str | None
    peer_mentor_id: Id | None
    peer_mentor_name: str | None
    activity_id: Id | None
    day: Day | None
    number: Count
    hours: Hours | None
    expected: Number | None
    in_all: Count
    place: Count


class Effect(StrictRow):
    """What somebody or something adds to the difference; negative where it takes away."""

    activity_count: int
    total_minutes: int
    total_hours: Annotated[Number, Field(decimal_places=2)]
    participant_count: int


Kind = Literal["added", "removed", "edited", "recategorised", "newly_counted", "no_longer_counted"]


class KindEffect(Effect):
    """All activities that differ in the same way."""

    kind: Kind
    activities: Count


class ChapterEffect(Effect):
    """All that differs in a chapter."""

    chapter_id: Id
    chapter_name: str


class PersonEffect(Effect):
    """All that differs of a peer mentor."""

    peer_mentor_id: Id
    peer_mentor_name: str


class Facts(StrictRow):
    """What an activity was for a report."""

    unit_id: Id
    peer_mentor_id: Id
    activity_type_id: Id
    activity_date: Day
    duration_minutes: Count
    participant_count: Count
    is_counted: bool
    not_counted_because: str | None


class ActivityEffect(Effect):
    """One activity; null where it was not there."""

    activity_id: Id
    kind: Kind
    before: Facts | None
    after: Facts | None
    category_before: str | None
    category_after: str | None


class MappingChange(StrictRow):
    """A type that has another category; null where it has none."""

    activity_type_id: Id
    category_before: str | None
    category_after: str | None


class Explanation(StrictRow):
    """Answer of `explain_report_difference()`: `difference` is what the effects of each list add up to.

    against    : the other version; null for now.
    unrecorded : what no history tells of, because triggers were off; comes on top of the lists.
    """

    version: Id
    against: Id | None
    difference: Effect
    unrecorded: Effect
    mapping_changes: list[MappingChange]
    kinds: list[KindEffect]
    chapters: list[ChapterEffect]
    people: list[PersonEffect]
    activities: list[ActivityEffect]


_VERSIONS = TypeAdapter(list[ReportVersion])
_REMARKS = TypeAdapter(list[Remark])


def _rows(model: TypeAdapter[list[R]], answer: Result[object]) -> Result[list[R]]:
    if isinstance(answer, Err):
        return answer
    try:
        return Ok(model.validate_python(answer.value))
    except ValidationError:
        return unexpected("list")


class ReportVersions(Client):
    """With the user's own rights, and about the user's own organisation: the database knows which it is."""

    async def get_report_versions(self, user: User, period: Period) -> Result[list[ReportVersion]]:
        """List the versions of a period's report, newest first."""
        return _rows(_VERSIONS, await self._call("get_report_versions", user, **period.parameters))

    async def get_report_remarks(self, user: User, period: Period) -> Result[list[Remark]]:
        """List what is unusual in a period, in the chapters that the user follows up."""
        return _rows(_REMARKS, await self._call("get_report_remarks", user, **period.parameters))

    async def prepare_report(self, user: User, period: Period) -> Result[ReportVersion]:
        """Make the saved figures of a period a version."""
        return row(ReportVersion, await self._call("prepare_report", user, **period.parameters))

    async def approve_report(self, user: User, version: UUID) -> Result[ReportVersion]:
        """Approve a version."""
        return row(ReportVersion, await self._call("approve_report", user, version=version))

    async def send_report(self, user: User, version: UUID) -> Result[ReportVersion]:
        """Note that a version was sent."""
        return row(ReportVersion, await self._call("send_report", user, version=version))

    async def explain_report_difference(
        self, user: User, version: UUID, against: UUID | None = None
    ) -> Result[Explanation]:
        """Say why a version differs from another one, or from now."""
        answer = await self._call("explain_report_difference", user, version=version, against=against)
        return row(Explanation, answer)

    async def export_report_version(self, user: User, version: UUID, file_format: Format) -> Result[Exported]:
        """Take a version through the gate, on record."""
        answer = await self._call("export_report_version", user, version=version, format=file_format)
        return row(Exported, answer)
