"""The part of the database that is about Bufdir's figures, in memory, and figures as PostgREST gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from _shared import exact_json
from _shared.bufdir_rows import (
    AlignmentFigures,
    ComputedSnapshot,
    MetricSnapshot,
    SnapshotStatus,
    StoredReport,
)
from _shared.periods import Period
from _shared.result import Err, Ok, Result
from tests.unit.functions.hierarchy_fakes import NHF, make_payload

if TYPE_CHECKING:
    from uuid import UUID

    from _shared.callers import User

PERIOD = Period.model_validate_strings({"period_start": "2026-01-01", "period_end": "2027-01-01"})
OSLO = "f388971c-9f12-6423-a62e-50570d4f0f5d"
CAFE = "2aa4a032-f5c7-b4d7-6335-7007d53d0cfe"
SNAPSHOT_ID = "4bab0653-9842-4aa9-9c60-4dbccf22a428"


def exactly(value: object) -> Any:
    """Give a JSON value as it is read from the network: with Decimals instead of floats."""
    return exact_json.loads(exact_json.dumps(value))


def figures(
    activity_count: int = 3, total_hours: str = "4.25", distinct: int = 2, participants: int = 17
) -> dict[str, Any]:
    return {
        "activity_count": activity_count,
        "total_hours": exact_json.loads(total_hours),
        "distinct_participants": distinct,
        "participant_count": participants,
    }


def report_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `generate_bufdir_report()`."""
    return {
        "organization_id": str(NHF),
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "mapping_version": 1,
        "categories": [figures(2, "1.75", 2, 2) | {"bufdir_category_code": "INDIVIDUAL"}],
        "uncategorised": [
            figures(1, "2.50", 0, 15) | {"activity_type_id": CAFE, "activity_type_code": "social_cafe"}
        ],
        "regions": [
            figures(2, "3.75", 1, 16) | {"region_unit_id": OSLO, "region_name": "NHF Oslo"},
            figures(1, "0.50", 1, 1) | {"region_unit_id": None, "region_name": None},
        ],
        "totals": figures(),
    } | overrides


def computed_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `compute_metric_snapshot()`."""
    return {
        "organization_id": str(NHF),
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "computed_at": "2026-03-14T09:26:53.589793+00:00",
        "record_count_at_generation": 3,
        "source_fingerprint": "c646630b0762767b7b83d053fe72bfa8",
        "mapping_version": 1,
        "snapshot_json": report_json(),
    } | overrides


def snapshot_json(**overrides: Any) -> dict[str, Any]:
    """A row of `bufdir_metric_snapshots`."""
    written = "2026-03-14T09:26:53.712345+00:00"
    return computed_json() | {"id": SNAPSHOT_ID, "snapshot_generated_at": written} | overrides


def status_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `get_snapshot_status()`."""
    return {
        "verdict": "fresh",
        "reasons": [],
        "record_count_at_generation": 3,
        "record_count_now": 3,
        "computed_at": "2026-03-14T09:26:53.589793+00:00",
        "export_allowed": True,
    } | overrides


def alignment_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `get_bufdir_alignment()`: both sides say the same."""
    series = {"activity_count": 3, "total_hours": exact_json.loads("4.25"), "participant_count": 17}
    return {
        "report": report_json(),
        "dashboard": {"activity_time_series": series, "hierarchy": exactly(make_payload())},
        "thresholds": [
            {"bufdir_category_code": "INDIVIDUAL", "minimum_activity_count": 2, "at_risk_ratio": 1}
        ],
    } | overrides


@dataclass
class FakeMetrics:
    """`MetricsDatabase` in memory.

    failure   : what every call answers instead, when set.
    failures  : the same for calls by name.
    snapshot  : the one that is saved.
    deletable : whether the policy lets the user delete it.
    access    : what `check_statistics_enabled` answers.
    saved     : what was handed over to be saved, in order.
    """

    failure: Err | None = None
    failures: dict[str, Err] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    snapshot: dict[str, Any] | None = None
    deletable: bool = True
    access: Result[None] = field(default_factory=lambda: Ok(None))
    status: dict[str, Any] = field(default_factory=status_json)
    report_now: dict[str, Any] = field(default_factory=report_json)
    asked_versions: list[int] = field(default_factory=list)
    alignment: dict[str, Any] = field(default_factory=alignment_json)
    saved: list[ComputedSnapshot] = field(default_factory=list)

    def _begin(self, name: str) -> Err | None:
        self.calls.append(name)
        return self.failure or self.failures.get(name)

    async def get_metric_snapshot(self, _user: User, _period: Period) -> Result[MetricSnapshot | None]:
        found = MetricSnapshot.model_validate(self.snapshot) if self.snapshot else None
        return self._begin("get_metric_snapshot") or Ok(found)

    async def get_stored_report(self, _user: User, _period: Period) -> Result[StoredReport | None]:
        found = StoredReport.model_validate(self.snapshot) if self.snapshot else None
        return self._begin("get_stored_report") or Ok(found)

    async def compute_metric_snapshot(self, _user: User, _period: Period) -> Result[ComputedSnapshot]:
        return self._begin("compute_metric_snapshot") or Ok(ComputedSnapshot.model_validate(computed_json()))

    async def save_metric_snapshot(self, _user: User, snapshot: ComputedSnapshot) -> Result[MetricSnapshot]:
        if failure := self._begin("save_metric_snapshot"):
            return failure
        self.saved.append(snapshot)
        self.snapshot = snapshot_json()
        return Ok(MetricSnapshot.model_validate(self.snapshot))

    async def delete_metric_snapshot(self, _user: User, _period: Period) -> Result[bool]:
        if failure := self._begin("delete_metric_snapshot"):
            return failure
        is_deleted = self.snapshot is not None and self.deletable
        if is_deleted:
            self.snapshot = None
        return Ok(is_deleted)

    async def check_statistics_enabled(self, _user: User) -> Result[None]:
        return self._begin("check_statistics_enabled") or self.access

    async def get_snapshot_status(self, _user: User, _period: Period) -> Result[SnapshotStatus]:
        return self._begin("get_snapshot_status") or Ok(SnapshotStatus.model_validate(self.status))

    async def generate_bufdir_report(
        self, _user: User, _organization_id: UUID, _period: Period, mapping_version: int
    ) -> Result[dict[str, Any]]:
        self.asked_versions.append(mapping_version)
        return self._begin("generate_bufdir_report") or Ok(self.report_now)

    async def get_bufdir_alignment(self, _user: User, _year: int) -> Result[AlignmentFigures]:
        return self._begin("get_bufdir_alignment") or Ok(AlignmentFigures.model_validate(self.alignment))
