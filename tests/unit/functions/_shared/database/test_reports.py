"""The allow-list: what may be saved, and nothing else; numbers of their own kind and of any size."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from _shared.database.reports import AlignmentFigures, BufdirReport
from _shared.database.snapshots import MetricSnapshot
from tests.support.examples import alignment_json, exactly, report_json, snapshot_json

TOO_LARGE_FOR_A_FLOAT = 9007199254740993


def put(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of the document with one field set; a path like `categories.0.activity_count`."""
    copy = deepcopy(document)
    *above, last = path.split(".")
    target: Any = copy
    for step in above:
        target = target[int(step) if step.isdigit() else step]
    target[last] = value
    return copy


def test_whole_numbers_and_hours_keep_every_digit() -> None:
    document = put(report_json(), "totals.activity_count", TOO_LARGE_FOR_A_FLOAT)
    document = put(document, "totals.total_hours", Decimal("90071992547409931.25"))
    report = BufdirReport.model_validate(document)
    assert report.totals.activity_count == TOO_LARGE_FOR_A_FLOAT
    assert report.totals.total_hours == Decimal("90071992547409931.25")
    assert exactly(report.model_dump()) == exactly(document)


PERSONAL = [
    "contact_id",
    "contact_name",
    "summary",
    "name",
    "email",
    "phone",
    "peer_mentor_id",
    "coordinator_id",
    "national_identity_number",
    "activity_id",
    "notes",
]


@pytest.mark.parametrize("field", PERSONAL)
@pytest.mark.parametrize(
    "where", ["", "totals.", "categories.0.", "uncategorised.0.", "regions.0."], ids=lambda w: w or "top"
)
def test_a_field_that_is_not_listed_is_refused_wherever_it_stands(where: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BufdirReport.model_validate(put(report_json(), f"{where}{field}", "Ola Nordmann"))
    assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]
    BufdirReport.model_validate(report_json())


@pytest.mark.parametrize(
    "field", ["activity_count", "total_hours", "distinct_participants", "participant_count"]
)
@pytest.mark.parametrize("where", ["totals.", "categories.0.", "uncategorised.0.", "regions.0."])
def test_the_figures_of_a_small_group_are_null(where: str, field: str) -> None:
    BufdirReport.model_validate(put(report_json(), f"{where}{field}", None))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totals.activity_count", Decimal("3.0")),
        ("totals.activity_count", 3.0),
        ("totals.activity_count", "3"),
        ("totals.activity_count", True),
        ("totals.activity_count", -1),
        ("totals.total_hours", 4.25),
        ("totals.total_hours", 4),
        ("totals.total_hours", "4.25"),
        ("totals.total_hours", Decimal("4.251")),
        ("totals.total_hours", Decimal("-0.25")),
        ("totals.total_hours", Decimal("NaN")),
        ("organization_id", "nhf"),
        ("organization_id", 7),
        ("period_start", 0),
        ("period_start", "2026-13-01"),
        ("mapping_version", "1"),
        ("categories", {}),
        ("categories.0.bufdir_category_code", 1),
        ("regions.0.region_unit_id", "Oslo"),
    ],
)
def test_another_kind_of_value_is_refused(path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        BufdirReport.model_validate(put(report_json(), path, value))
    BufdirReport.model_validate(report_json())


@pytest.mark.parametrize("field", report_json())
def test_a_field_that_is_missing_is_refused(field: str) -> None:
    document = report_json()
    del document[field]
    with pytest.raises(ValidationError):
        BufdirReport.model_validate(document)


@pytest.mark.parametrize(
    "overrides",
    [
        {"period_end": "2026-02-01"},
        {"mapping_version": 2},
        {"organization_id": "1f0e0d0c-0b0a-4908-8706-050403020100"},
    ],
)
def test_a_report_about_something_else_than_its_snapshot_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="something else"):
        MetricSnapshot.model_validate(snapshot_json(snapshot_json=report_json(**overrides)))
    MetricSnapshot.model_validate(snapshot_json())


def test_the_time_of_computation_keeps_its_microseconds() -> None:
    snapshot = MetricSnapshot.model_validate(snapshot_json())
    assert snapshot.computed_at.isoformat() == "2026-03-14T09:26:53.589793+00:00"


def test_a_ratio_of_one_may_come_as_a_whole_number_and_what_is_not_shown_as_null() -> None:
    dashboard = {"activity_time_series": None, "hierarchy": None}
    figures = AlignmentFigures.model_validate(alignment_json(dashboard=dashboard))
    assert figures.thresholds[0].at_risk_ratio == Decimal(1)
    assert (figures.dashboard.activity_time_series, figures.dashboard.hierarchy) == (None, None)
