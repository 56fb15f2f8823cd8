"""What `bufdir-alignment` is asked and answers."""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import BaseModel, ConfigDict, Field

from _shared.call import Input
from _shared.differences import Difference

Severity: TypeAlias = Literal["critical", "warning"]
Status: TypeAlias = Literal["on_track", "at_risk", "below_threshold"]


class AlignmentQuery(Input):
    """A calendar year, in UTC."""

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
    """A category against its threshold; `missing_count` activities are needed to be on track."""

    bufdir_category_code: str
    minimum_activity_count: int
    activity_count: int
    missing_count: int
    status: Status


class UnmappedType(_Answer):
    """An activity type that was used and that no category reports."""

    activity_type_id: UUID
    activity_type_code: str
    activity_count: int


class AlignmentReport(_Answer):
    """The dashboard against the report, and the report against the thresholds.

    status : the worst of all categories; `on_track` where there are no thresholds.
    """

    year: int
    is_aligned: bool
    status: Status
    drift: list[Drift]
    shortfalls: list[Shortfall]
    unmapped_types: list[UnmappedType]
