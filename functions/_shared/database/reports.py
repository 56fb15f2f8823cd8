"""Bufdir's figures: the report of a period, and what the dashboard says beside it.

The models are the allow-list of what may be reported and saved: sums, ids of organisations, units and types,
codes, names of regions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from _shared.database.client import Client, Count, Day, Hours, Id, Number, StrictRow, row
from _shared.database.hierarchy import HierarchyPayload  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from _shared.callers import User
    from _shared.result import Result


Ratio = Annotated[Number, Field(ge=0, le=1)]


class Figures(StrictRow):
    """What is reported of a group of activities; all null where the user may not see so few people.

    distinct_participants : contacts, each once, whether met directly or registered by proxy.
    participant_count     : participants as counted at each activity.
    """

    activity_count: Count | None
    total_hours: Hours | None
    distinct_participants: Count | None
    participant_count: Count | None


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


class SeriesFigures(StrictRow):
    """The year as `activity_time_series` shows it."""

    activity_count: Count
    total_hours: Hours
    participant_count: Count


class Dashboard(StrictRow):
    """The live views' side.

    activity_time_series : null where the report hides the same totals.
    hierarchy            : the summary of the national unit; null for who may not read it, or without one.
    """

    activity_time_series: SeriesFigures | None
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


class Reports(Client):
    """With the user's own rights, and about the user's own organisation: the database knows which it is."""

    async def get_bufdir_alignment(self, user: User, year: int) -> Result[AlignmentFigures]:
        """Read what dashboard and report say about a year."""
        return row(AlignmentFigures, await self._call("get_bufdir_alignment", user, p_year=year))
