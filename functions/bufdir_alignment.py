"""`GET /functions/v1/bufdir-alignment?year`: dashboard against report, and report against thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import BaseModel, ConfigDict, Field

from _shared.callers import User
from _shared.differences import Difference, differences
from _shared.http.endpoint import endpoint
from _shared.inputs import Input
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _shared.database.reports import AlignmentFigures, BufdirReport, Threshold
    from _shared.http.request import Call

Severity: TypeAlias = Literal["critical", "warning"]
Status: TypeAlias = Literal["on_track", "at_risk", "below_threshold"]

_FROM_WORST: tuple[Status, ...] = ("below_threshold", "at_risk", "on_track")
_REBUILD = "Do not export. Have the totals rebuilt (runbook: a number is doubted), then check again."
_REPORT = "Do not export. Both sides count the activities themselves: report this as an error in Fersk."


class AlignmentQuery(Input):
    """A calendar year."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"year": "2026"}]})

    year: int = Field(ge=2000, le=2099)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Drift(Difference):
    """A figure that the dashboard shows otherwise than the report.

    field_name     : a JSON pointer into the dashboard.
    expected_value : what the report says, which counts the activities themselves.
    severity       : `critical` for what Bufdir counts, activities and participants; `warning` for hours.
    """

    severity: Severity
    recommended_action: str


class Shortfall(_Answer):
    """A category against its threshold; `missing_count` activities are needed to be on track.

    Null where the user may not see the category's figures.
    """

    bufdir_category_code: str
    minimum_activity_count: int
    activity_count: int | None
    missing_count: int | None
    status: Status | None


class UnmappedType(_Answer):
    """An activity type that was used and that no category reports."""

    activity_type_id: UUID
    activity_type_code: str
    activity_count: int | None


class AlignmentReport(_Answer):
    """The dashboard against the report, and the report against the thresholds, as far as the user sees them.

    status : the worst of all categories; `on_track` where there are no thresholds.
    """

    year: int
    is_aligned: bool
    status: Status
    drift: list[Drift]
    shortfalls: list[Shortfall]
    unmapped_types: list[UnmappedType]


@endpoint("GET", callers={User}, query=AlignmentQuery)
async def bufdir_alignment(call: Call[AlignmentQuery]) -> Result[AlignmentReport]:
    """Check that dashboard and report agree on a year, and that the caller's organisation is on track.

    Errors : forbidden (no active coordinator or org admin), feature_disabled.
    Source : public.get_bufdir_alignment().
    """
    figures = await call.database.get_bufdir_alignment(call.user, call.input.year)
    return figures if isinstance(figures, Err) else Ok(align(call.input.year, figures.value))


def align(year: int, figures: AlignmentFigures) -> AlignmentReport:
    """Judge one organisation's figures of a year; nothing but the figures goes in."""
    drift = find_drift(figures)
    shortfalls = [_against(threshold, figures.report) for threshold in figures.thresholds]
    return AlignmentReport(
        year=year,
        is_aligned=not drift,
        status=worst([shortfall.status for shortfall in shortfalls if shortfall.status]),
        drift=drift,
        shortfalls=shortfalls,
        unmapped_types=[
            UnmappedType(**kind.model_dump(include=set(UnmappedType.model_fields)))
            for kind in figures.report.uncategorised
        ],
    )


def find_drift(figures: AlignmentFigures) -> list[Drift]:
    """List where the dashboard differs from the report, in value or type.

    What the user is not shown is not compared.
    """
    said, shown = {}, {}
    if figures.dashboard.activity_time_series is not None:
        shown["activity_time_series"] = figures.dashboard.activity_time_series.model_dump()
        said["activity_time_series"] = _as_series(figures.report)
    if figures.dashboard.hierarchy is not None:
        said["hierarchy"] = _as_hierarchy(figures.report)
        # nor is what the report has no word for
        shown["hierarchy"] = figures.dashboard.hierarchy.model_dump(include=set(said["hierarchy"]))
    return [
        Drift(
            **difference.model_dump(),
            severity=_severity(difference.field_name),
            recommended_action=_REPORT if difference.field_name.endswith("/distinct_contacts") else _REBUILD,
        )
        for difference in differences(said, shown)
    ]


def _as_series(report: BufdirReport) -> dict[str, object]:
    """Say in the dashboard's form what the report says."""
    return report.totals.model_dump(include={"activity_count", "total_hours", "participant_count"})


def _as_hierarchy(report: BufdirReport) -> dict[str, object]:
    """Say it in the form of a unit's summary; who may read one sees the whole report."""
    categories = {kind.bufdir_category_code: kind.activity_count for kind in report.categories}
    if report.uncategorised:
        categories["uncategorised"] = sum(kind.activity_count or 0 for kind in report.uncategorised)
    distinct = report.totals.distinct_participants
    return _as_series(report) | {"distinct_contacts": distinct, "categories": categories}


def _severity(field_name: str) -> Severity:
    return "warning" if field_name.endswith("/total_hours") else "critical"


def _against(threshold: Threshold, report: BufdirReport) -> Shortfall:
    code, minimum = threshold.bufdir_category_code, threshold.minimum_activity_count
    counts = [kind.activity_count for kind in report.categories if kind.bufdir_category_code == code]
    count = counts[0] if counts else 0
    return Shortfall(
        bufdir_category_code=code,
        minimum_activity_count=minimum,
        activity_count=count,
        missing_count=None if count is None else max(0, minimum - count),
        status=None if count is None else judge(count, threshold),
    )


def judge(count: int, threshold: Threshold) -> Status:
    """Judge a category: on track from its minimum on, at risk from `at_risk_ratio` of it on."""
    if count >= threshold.minimum_activity_count:
        return "on_track"
    is_near = count >= threshold.minimum_activity_count * threshold.at_risk_ratio
    return "at_risk" if is_near else "below_threshold"


def worst(statuses: Sequence[Status]) -> Status:
    """Give the worst of several; `on_track` of none."""
    return next((status for status in _FROM_WORST if status in statuses), "on_track")
