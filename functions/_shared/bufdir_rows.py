"""What the database answers about Bufdir's figures. Read strictly: a field that is not listed is refused.

The models are the allow-list of what a snapshot may hold: sums, ids of organisations, units and types, codes,
names of regions. Whole numbers are int, others Decimal, and neither stands for the other.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from _shared.rows import HierarchyPayload  # noqa: TC001 - pydantic reads it


def _text(value: object) -> object:
    # pydantic's own reading of ids and days from text would take numbers as well
    if isinstance(value, str | UUID | dt.date):
        return value
    raise ValueError("not a text")


def _decimal(value: object) -> object:
    return Decimal(value) if type(value) is int else value


Id = Annotated[UUID, BeforeValidator(_text), Field(strict=False)]
Day = Annotated[dt.date, BeforeValidator(_text), Field(strict=False)]
Moment = Annotated[AwareDatetime, BeforeValidator(_text), Field(strict=False)]
Count = Annotated[int, Field(ge=0)]
Hours = Annotated[Decimal, Field(ge=0, decimal_places=2)]
Ratio = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, le=1)]


class StrictRow(BaseModel):
    """Base of all here."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Figures(StrictRow):
    """What is reported of a group of activities.

    distinct_participants : contacts, each once, whether met directly or registered by proxy.
    participant_count     : participants as counted at each activity.
    """

    activity_count: Count
    total_hours: Hours
    distinct_participants: Count
    participant_count: Count


class CategoryFigures(Figures):
    """One Bufdir category."""

    bufdir_category_code: str


class UncategorisedFigures(Figures):
    """One activity type that the mapping leaves out."""

    activity_type_id: Id
    activity_type_code: str


class RegionFigures(Figures):
    """One region; null for what happens outside of all."""

    region_unit_id: Id | None
    region_name: str | None


class BufdirReport(StrictRow):
    """Answer of `generate_bufdir_report()`; empty lists and zeros where nothing was registered.

    mapping_version : 0 for an organisation without a mapping.
    """

    organization_id: Id
    period_start: Day
    period_end: Day
    mapping_version: Count
    categories: list[CategoryFigures]
    uncategorised: list[UncategorisedFigures]
    regions: list[RegionFigures]
    totals: Figures


class _SnapshotKey(StrictRow):
    organization_id: Id
    period_start: Day
    period_end: Day
    mapping_version: Count
    computed_at: Moment
    record_count_at_generation: Count
    source_fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ComputedSnapshot(_SnapshotKey):
    """Answer of `compute_metric_snapshot()`: a report, and the records it rests on."""

    snapshot_json: BufdirReport

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        key = {"organization_id", "period_start", "period_end", "mapping_version"}
        if self.model_dump(include=key) != self.snapshot_json.model_dump(include=key):
            raise ValueError("the report is about something else than its snapshot")
        return self


class MetricSnapshot(ComputedSnapshot):
    """A row of `bufdir_metric_snapshots`.

    computed_at           : when the figures were computed; the age counts from here.
    snapshot_generated_at : when the row was written.
    """

    id: Id
    snapshot_generated_at: Moment


class StoredReport(StrictRow):
    """What a saved snapshot says, as it stands in the database, right or wrong."""

    model_config = ConfigDict(extra="ignore")  # a part of the row

    organization_id: Id
    mapping_version: Count
    computed_at: Moment
    snapshot_json: dict[str, Any]


class SnapshotStatus(StrictRow):
    """Answer of `get_snapshot_status()`, which decides."""

    verdict: Literal["missing", "fresh", "stale"]
    reasons: list[Literal["record_count_changed", "records_edited", "older_than_max_age", "mapping_changed"]]
    record_count_at_generation: Count | None
    record_count_now: Count
    computed_at: Moment | None
    export_allowed: bool


class SeriesFigures(StrictRow):
    """The year as `activity_time_series` shows it."""

    activity_count: Count
    total_hours: Hours
    participant_count: Count


class Dashboard(StrictRow):
    """The live views' side; `hierarchy` is the summary of the national unit, null where there is none."""

    activity_time_series: SeriesFigures
    hierarchy: HierarchyPayload | None


class Threshold(StrictRow):
    """A row of `bufdir_thresholds`.

    at_risk_ratio : the share of the minimum from which on the category is at risk; below, it is below.
    """

    bufdir_category_code: str
    minimum_activity_count: Count
    at_risk_ratio: Ratio


class AlignmentFigures(StrictRow):
    """Answer of `get_bufdir_alignment()`: both sides, from one statement."""

    report: BufdirReport
    dashboard: Dashboard
    thresholds: list[Threshold]


class StatisticsSettings(StrictRow):
    """The kill switch."""

    model_config = ConfigDict(extra="ignore")  # a part of the row

    statistics_enabled: bool
