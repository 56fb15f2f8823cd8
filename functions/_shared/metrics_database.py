"""The part of the database that is about Bufdir's figures. All of it acts with the user's own rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel

from _shared.bufdir_rows import (
    AlignmentFigures,
    ComputedSnapshot,
    MetricSnapshot,
    SnapshotStatus,
    StatisticsSettings,
    StoredReport,
)
from _shared.rest import Rest, execute, row, unexpected
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from uuid import UUID

    from _shared.callers import User
    from _shared.periods import Period

R = TypeVar("R", bound=BaseModel)
TABLE = "bufdir_metric_snapshots"
KEY = "organization_id,period_start,period_end"


class MetricsDatabase(Protocol):
    """A snapshot is of the user's own organisation: the database knows which that is."""

    async def get_metric_snapshot(self, user: User, period: Period) -> Result[MetricSnapshot | None]:
        """Look a saved snapshot up by its key; None when there is none, or none that may be seen."""

    async def get_stored_report(self, user: User, period: Period) -> Result[StoredReport | None]:
        """Look up what a saved snapshot says, without judging it."""

    async def compute_metric_snapshot(self, user: User, period: Period) -> Result[ComputedSnapshot]:
        """Compute a snapshot; nothing is saved."""

    async def save_metric_snapshot(self, user: User, snapshot: ComputedSnapshot) -> Result[MetricSnapshot]:
        """Save a snapshot in place of the one of the same period."""

    async def delete_metric_snapshot(self, user: User, period: Period) -> Result[bool]:
        """Delete a snapshot; false when there was none that the user may delete."""

    async def check_statistics_enabled(self, user: User) -> Result[None]:
        """Tell why a user sees nothing: feature_disabled, or forbidden for who is no active member."""

    async def get_snapshot_status(self, user: User, period: Period) -> Result[SnapshotStatus]:
        """Let the database compare a snapshot with the records of now."""

    async def generate_bufdir_report(
        self, user: User, organization_id: UUID, period: Period, mapping_version: int
    ) -> Result[dict[str, Any]]:
        """Compute a report with a certain version of the mapping; the answer as it is."""

    async def get_bufdir_alignment(self, user: User, year: int) -> Result[AlignmentFigures]:
        """Read what dashboard and report say about a year."""


class SupabaseMetrics(Rest):
    """`MetricsDatabase` over PostgREST."""

    async def get_metric_snapshot(self, user: User, period: Period) -> Result[MetricSnapshot | None]:
        return await self._find(user, period, MetricSnapshot)

    async def get_stored_report(self, user: User, period: Period) -> Result[StoredReport | None]:
        return await self._find(user, period, StoredReport)

    async def compute_metric_snapshot(self, user: User, period: Period) -> Result[ComputedSnapshot]:
        return row(ComputedSnapshot, await self._call("compute_metric_snapshot", user, **_parameters(period)))

    async def save_metric_snapshot(self, user: User, snapshot: ComputedSnapshot) -> Result[MetricSnapshot]:
        query = self._as(user).from_(TABLE).upsert(snapshot.model_dump(), on_conflict=KEY)
        saved = _first(MetricSnapshot, await execute(query, for_user=True))
        if isinstance(saved, Err):
            return saved
        return unexpected("MetricSnapshot") if saved.value is None else Ok(saved.value)

    async def delete_metric_snapshot(self, user: User, period: Period) -> Result[bool]:
        query = self._as(user).from_(TABLE).delete()
        query = query.eq("period_start", period.period_start).eq("period_end", period.period_end).select("id")
        answer = await execute(query, for_user=True)
        if isinstance(answer, Err):
            return answer
        return Ok(bool(answer.value)) if isinstance(answer.value, list) else unexpected("deleted snapshot")

    async def check_statistics_enabled(self, user: User) -> Result[None]:
        query = self._as(user).from_("organization_settings").select("statistics_enabled")
        found = _first(StatisticsSettings, await execute(query, for_user=True))
        if isinstance(found, Err):
            return found
        if found.value is None:
            return Err(ErrorCode.FORBIDDEN, cause="no active member")
        return Ok(None) if found.value.statistics_enabled else Err(ErrorCode.FEATURE_DISABLED)

    async def get_snapshot_status(self, user: User, period: Period) -> Result[SnapshotStatus]:
        return row(SnapshotStatus, await self._call("get_snapshot_status", user, **_parameters(period)))

    async def generate_bufdir_report(
        self, user: User, organization_id: UUID, period: Period, mapping_version: int
    ) -> Result[dict[str, Any]]:
        parameters = {"p_org_id": organization_id, "p_mapping_version": mapping_version}
        answer = await self._call("generate_bufdir_report", user, **parameters, **_parameters(period))
        if isinstance(answer, Err):
            return answer
        return Ok(answer.value) if isinstance(answer.value, dict) else unexpected("report")

    async def get_bufdir_alignment(self, user: User, year: int) -> Result[AlignmentFigures]:
        return row(AlignmentFigures, await self._call("get_bufdir_alignment", user, p_year=year))

    async def _find(self, user: User, period: Period, model: type[R]) -> Result[R | None]:
        query = self._as(user).from_(TABLE).select(*model.model_fields)
        query = query.eq("period_start", period.period_start).eq("period_end", period.period_end)
        return _first(model, await execute(query, for_user=True))


def _parameters(period: Period) -> dict[str, Any]:
    return {"p_period_start": period.period_start, "p_period_end": period.period_end}


def _first(model: type[R], answer: Result[object]) -> Result[R | None]:
    if isinstance(answer, Err):
        return answer
    if not isinstance(answer.value, list):
        return unexpected(model.__name__)
    return row(model, Ok(answer.value[0])) if answer.value else Ok(None)
