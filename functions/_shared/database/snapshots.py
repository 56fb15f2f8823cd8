"""Saved reports: computed, saved, looked up, judged, deleted."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from _shared.database.client import (
    Client,
    Count,
    Day,
    Id,
    Moment,
    StrictRow,
    row,
    scalar,
    unexpected,
)
from _shared.database.reports import BufdirReport  # noqa: TC001 - pydantic reads it
from _shared.inputs import REFUSAL, Input
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from uuid import UUID

    from _shared.callers import User

R = TypeVar("R", bound=BaseModel)
TABLE = "bufdir_metric_snapshots"
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR = re.compile(r"20[0-9]{2}")
CENTURY = dt.date(2000, 1, 1), dt.date(2100, 1, 1)


def _iso(value: object) -> object:
    # pydantic would take "0" for the first day of 1970
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        return dt.date.fromisoformat(value)
    if isinstance(value, dt.date):
        return value
    raise ValueError("not an ISO date")


class Period(Input):
    """Whole months: `period_start` is the first day, `period_end` the first one after; or a `year`.

    What happened on a certain day is nobody's to read from a report.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"period_start": "2026-01-01", "period_end": "2027-01-01"}]}
    )

    period_start: Annotated[dt.date, BeforeValidator(_iso)]
    period_end: Annotated[dt.date, BeforeValidator(_iso)]

    @model_validator(mode="before")
    @classmethod
    def _may_be_named_by_its_year(cls, given: object) -> object:
        if not isinstance(given, dict) or "year" not in given:
            return given
        year, others = given["year"], {name: value for name, value in given.items() if name != "year"}
        if others.keys() & {"period_start", "period_end"}:
            raise PydanticCustomError(REFUSAL, "Name a period or a year, not both.")
        if not isinstance(year, str) or not _YEAR.fullmatch(year):
            raise PydanticCustomError(REFUSAL, "The year must be between 2000 and 2099.")
        return others | {"period_start": f"{year}-01-01", "period_end": f"{int(year) + 1}-01-01"}

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.period_end < self.period_start:
            raise PydanticCustomError(REFUSAL, "period_end is before period_start.")
        if self.period_start < CENTURY[0] or self.period_end > CENTURY[1]:
            raise PydanticCustomError(
                REFUSAL, "A period lies in this century: from 2000-01-01 to 2100-01-01."
            )
        if (self.period_start.day, self.period_end.day) != (1, 1):
            raise PydanticCustomError(
                REFUSAL, "A period is whole months: it starts and ends on the first day of one."
            )
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """As SQL functions take it."""
        return {"p_period_start": self.period_start, "p_period_end": self.period_end}


class MetricSnapshot(StrictRow):
    """A row of `bufdir_metric_snapshots`: a report, and the records it rests on.

    computed_at           : when the figures were computed; the age counts from here.
    snapshot_generated_at : when the row was written.
    """

    id: Id
    organization_id: Id
    period_start: Day
    period_end: Day
    computed_at: Moment
    snapshot_generated_at: Moment
    record_count_at_generation: Count
    source_fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    mapping_version: Count
    snapshot_json: BufdirReport

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        key = {"organization_id", "period_start", "period_end", "mapping_version"}
        if self.model_dump(include=key) != self.snapshot_json.model_dump(include=key):
            raise ValueError("the report is about something else than its snapshot")
        return self


class StoredReport(StrictRow):
    """What a saved snapshot says, as it stands in the database, right or wrong."""

    model_config = ConfigDict(extra="ignore")  # a part of the row

    organization_id: Id
    mapping_version: Count
    computed_at: Moment
    snapshot_json: dict[str, Any]


class SnapshotStatus(StrictRow):
    """Answer of `get_snapshot_status()`, which decides.

    warnings : the period ends before a day that looks like one that was meant to be in it.
    """

    verdict: Literal["missing", "fresh", "stale"]
    reasons: list[Literal["record_count_changed", "records_edited", "older_than_max_age", "mapping_changed"]]
    record_count_at_generation: Count | None
    record_count_now: Count
    computed_at: Moment | None
    export_allowed: bool
    warnings: list[
        Literal["last_day_of_year_left_out", "last_day_of_month_left_out", "last_month_of_year_left_out"]
    ]


class Snapshots(Client):
    """With the user's own rights, and about the user's own organisation: the database knows which it is."""

    async def get_metric_snapshot(self, user: User, period: Period) -> Result[MetricSnapshot | None]:
        """Look a saved snapshot up by its key, as the user may see it; None when there is none."""
        return await self._find(user, period, MetricSnapshot)

    async def get_stored_report(self, user: User, period: Period) -> Result[StoredReport | None]:
        """Look up what a saved snapshot says, without judging it."""
        return await self._find(user, period, StoredReport)

    async def save_metric_snapshot(self, user: User, period: Period) -> Result[MetricSnapshot]:
        """Have a snapshot computed and saved, in place of the one of the same period."""
        return row(MetricSnapshot, await self._call("save_metric_snapshot", user, **period.parameters))

    async def renew_metric_snapshot(self, organization_id: UUID, period: Period) -> Result[bool]:
        """Have a saved snapshot computed anew; false when there is none. With the secret key."""
        parameters = {"p_organization_id": organization_id, **period.parameters}
        return scalar(bool, await self._call("renew_metric_snapshot", **parameters), "renewed")

    async def delete_metric_snapshot(self, user: User, period: Period) -> Result[bool]:
        """Delete a snapshot; false when there was none that the user may delete."""
        days = {"period_start": f"eq.{period.period_start}", "period_end": f"eq.{period.period_end}"}
        answer = await self._delete(TABLE, user, select="id", **days)
        if isinstance(answer, Err):
            return answer
        return Ok(bool(answer.value)) if isinstance(answer.value, list) else unexpected("deleted snapshot")

    async def get_snapshot_status(self, user: User, period: Period) -> Result[SnapshotStatus]:
        """Let the database compare a snapshot with the records of now."""
        return row(SnapshotStatus, await self._call("get_snapshot_status", user, **period.parameters))

    async def generate_bufdir_report(
        self, user: User, organization_id: UUID, period: Period, mapping_version: int
    ) -> Result[dict[str, Any]]:
        """Compute a report with a certain version of the mapping; the answer as it is."""
        parameters = {"p_org_id": organization_id, "p_mapping_version": mapping_version}
        answer = await self._call("generate_bufdir_report", user, **parameters, **period.parameters)
        if isinstance(answer, Err):
            return answer
        return Ok(answer.value) if isinstance(answer.value, dict) else unexpected("report")

    async def _find(self, user: User, period: Period, model: type[R]) -> Result[R | None]:
        found = await self._call("get_metric_snapshot", user, **period.parameters)
        return Ok(None) if found == Ok(None) else row(model, found)
