from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from inspect import unwrap
from typing import Any

import pytest
from pydantic import ValidationError

from _shared.database.reports import AlignmentFigures, Threshold
from _shared.http.request import Call
from _shared.result import Err, ErrorCode, Ok
from bufdir_alignment import AlignmentQuery, Status, align, bufdir_alignment, judge, worst
from tests.support.credentials import make_user
from tests.support.examples import CAFE, alignment_json, figures, report_json
from tests.support.fake_database import FakeDatabase


def aligned(**overrides: Any) -> AlignmentFigures:
    return AlignmentFigures.model_validate(alignment_json(**overrides))


def dashboard(part: str, name: str, value: object) -> dict[str, Any]:
    """The dashboard of `alignment_json`, with one figure changed."""
    changed = deepcopy(alignment_json()["dashboard"])
    changed[part][name] = value
    return {"dashboard": changed}


def threshold(minimum: int, ratio: str = "0.8", code: str = "INDIVIDUAL") -> dict[str, Any]:
    return {"bufdir_category_code": code, "minimum_activity_count": minimum, "at_risk_ratio": Decimal(ratio)}


def test_where_both_sides_agree_there_is_no_drift() -> None:
    report = align(2026, aligned())
    assert (report.year, report.is_aligned, report.drift, report.status) == (2026, True, [], "on_track")


REBUILD = "Do not export. Have the totals rebuilt (runbook: a number is doubted), then check again."
REPORT = "Do not export. Both sides count the activities themselves: report this as an error in Fersk."
DRIFT = [
    ("activity_time_series", "activity_count", 2, 3, "critical", REBUILD),
    ("activity_time_series", "participant_count", 18, 17, "critical", REBUILD),
    ("activity_time_series", "total_hours", Decimal("4.26"), Decimal("4.25"), "warning", REBUILD),
    ("hierarchy", "activity_count", 4, 3, "critical", REBUILD),
    ("hierarchy", "participant_count", 0, 17, "critical", REBUILD),
    ("hierarchy", "total_hours", Decimal("4.24"), Decimal("4.25"), "warning", REBUILD),
    ("hierarchy", "distinct_contacts", 3, 2, "critical", REPORT),
]


@pytest.mark.parametrize(("part", "name", "shown", "said", "severity", "action"), DRIFT)
def test_each_figure_that_differs_is_a_row(
    part: str, name: str, *, shown: object, said: object, severity: str, action: str
) -> None:
    report = align(2026, aligned(**dashboard(part, name, shown)))
    assert report.is_aligned is False
    assert [row.model_dump() for row in report.drift] == [
        {
            "field_name": f"/{part}/{name}",
            "expected_value": said,
            "actual_value": shown,
            "severity": severity,
            "recommended_action": action,
        }
    ]


def test_categories_are_compared_one_by_one_the_unmapped_in_all() -> None:
    report = align(2026, aligned(**dashboard("hierarchy", "categories", {"GROUP": 2, "uncategorised": 2})))
    assert [(row.field_name, row.expected_value, row.actual_value) for row in report.drift] == [
        ("/hierarchy/categories/GROUP", None, 2),
        ("/hierarchy/categories/INDIVIDUAL", 2, None),
        ("/hierarchy/categories/uncategorised", 1, 2),
    ]


@pytest.mark.parametrize("name", ["active_peer_mentors", "chapters_reporting", "approved_expenses_nok"])
def test_what_the_report_does_not_say_is_not_compared(name: str) -> None:
    value = Decimal("999.50") if name == "approved_expenses_nok" else 999
    assert align(2026, aligned(**dashboard("hierarchy", name, value))).is_aligned


def test_an_organisation_without_units_is_aligned() -> None:
    nothing = figures(0, "0.00", 0, 0)
    empty = report_json(categories=[], uncategorised=[], regions=[], totals=nothing)
    series = {name: nothing[name] for name in ("activity_count", "total_hours", "participant_count")}
    shown = {"activity_time_series": series, "hierarchy": None}
    assert align(2026, aligned(report=empty, dashboard=shown, thresholds=[])).is_aligned


HIDDEN: dict[str, Any] = dict.fromkeys(figures())


def test_what_the_user_is_not_shown_is_not_compared() -> None:
    shown = alignment_json()["dashboard"] | {"hierarchy": None}
    assert align(2026, aligned(dashboard=shown)).is_aligned
    shown["activity_time_series"] = shown["activity_time_series"] | {"activity_count": 2}
    drift = align(2026, aligned(dashboard=shown)).drift
    assert [row.field_name for row in drift] == ["/activity_time_series/activity_count"]
    nothing = {"activity_time_series": None, "hierarchy": None}
    assert align(2026, aligned(report=report_json(totals=HIDDEN), dashboard=nothing)).is_aligned


def test_a_category_of_too_few_people_is_not_judged() -> None:
    shown = alignment_json()["dashboard"] | {"hierarchy": None}
    few = report_json(
        categories=[HIDDEN | {"bufdir_category_code": "INDIVIDUAL"}],
        uncategorised=[HIDDEN | {"activity_type_id": CAFE, "activity_type_code": "social_cafe"}],
    )
    report = align(2026, aligned(report=few, dashboard=shown, thresholds=[threshold(5), threshold(0)]))
    assert [(row.activity_count, row.missing_count, row.status) for row in report.shortfalls] == [
        (None, None, None),
        (None, None, None),
    ]
    assert report.unmapped_types[0].activity_count is None
    assert report.status == "on_track"
    beside = align(
        2026, aligned(report=few, dashboard=shown, thresholds=[threshold(5), threshold(1, code="X")])
    )
    assert beside.status == "below_threshold"


BOUNDARIES: list[tuple[int, str, Status]] = [
    (101, "0.8", "on_track"),
    (100, "0.8", "on_track"),
    (99, "0.8", "at_risk"),
    (80, "0.8", "at_risk"),
    (79, "0.8", "below_threshold"),
    (0, "0.8", "below_threshold"),
    (99, "1", "below_threshold"),
    (0, "0", "at_risk"),
    (34, "0.333", "at_risk"),
    (33, "0.333", "below_threshold"),
]


@pytest.mark.parametrize(("count", "ratio", "status"), BOUNDARIES)
def test_threshold_boundaries(count: int, ratio: str, status: Status) -> None:
    assert judge(count, Threshold.model_validate(threshold(100, ratio))) == status


def test_a_threshold_of_nothing_is_always_reached() -> None:
    assert judge(0, Threshold.model_validate(threshold(0))) == "on_track"


@pytest.mark.parametrize(
    ("statuses", "overall"),
    [
        ([], "on_track"),
        (["on_track", "on_track"], "on_track"),
        (["on_track", "at_risk"], "at_risk"),
        (["at_risk", "below_threshold", "on_track"], "below_threshold"),
    ],
)
def test_the_worst_category_is_the_overall_status(statuses: list[Status], overall: Status) -> None:
    assert worst(statuses) == overall


def test_each_threshold_is_listed_with_what_is_missing() -> None:
    report = align(2026, aligned(thresholds=[threshold(2), threshold(3, "0.5"), threshold(4, code="GROUP")]))
    assert [
        (row.bufdir_category_code, row.activity_count, row.missing_count, row.status)
        for row in report.shortfalls
    ] == [
        ("INDIVIDUAL", 2, 0, "on_track"),
        ("INDIVIDUAL", 2, 1, "at_risk"),
        ("GROUP", 0, 4, "below_threshold"),
    ]
    assert report.status == "below_threshold"


def test_unmapped_types_are_listed_with_their_counts() -> None:
    assert [row.model_dump(mode="json") for row in align(2026, aligned()).unmapped_types] == [
        {"activity_type_id": CAFE, "activity_type_code": "social_cafe", "activity_count": 1}
    ]


async def check_alignment(database: FakeDatabase) -> Any:
    return await unwrap(bufdir_alignment)(Call("GET", make_user(), AlignmentQuery(year=2026), database))


async def test_the_databases_figures_are_judged() -> None:
    assert await check_alignment(FakeDatabase()) == Ok(align(2026, aligned()))


async def test_a_refusal_is_passed_on() -> None:
    refusal = Err(ErrorCode.FORBIDDEN)
    assert await check_alignment(FakeDatabase(failure=refusal)) == refusal


@pytest.mark.parametrize("year", ["1999", "2100", "", "2026.5", "twenty"])
def test_a_year_is_one_of_this_century(year: str) -> None:
    with pytest.raises(ValidationError):
        AlignmentQuery.model_validate_strings({"year": year})
    for good in ("2000", "2099"):
        assert AlignmentQuery.model_validate_strings({"year": good}).year == int(good)
