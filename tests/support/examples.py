"""What the database answers, by example; a test overrides what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from _shared import exact_json
from _shared.database.hierarchy import DrainReport, HierarchyEntry
from _shared.database.snapshots import Period
from _shared.database.statistics import DatabaseHealth, RefreshReport

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
UNIT = UUID("7d444840-9dc0-41d1-b245-5ffdce74fad2")
NHF = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
HLF = UUID("1f0e0d0c-0b0a-4908-8706-050403020100")
PERIOD = Period.model_validate_strings({"period_start": "2026-01-01", "period_end": "2027-01-01"})
OSLO = "f388971c-9f12-6423-a62e-50570d4f0f5d"
CAFE = "2aa4a032-f5c7-b4d7-6335-7007d53d0cfe"
SNAPSHOT_ID = "4bab0653-9842-4aa9-9c60-4dbccf22a428"
VERSION_ID = "9c1e4a52-3f0b-4c57-8f0e-6a1b2c3d4e5f"


def make_report(**overrides: Any) -> RefreshReport:
    return RefreshReport.model_validate(
        {"outcome": "refreshed", "refreshed_at": NOW, "applied_changes": 3, "duration_ms": 41} | overrides
    )


def make_health(**overrides: Any) -> DatabaseHealth:
    return DatabaseHealth.model_validate(
        {
            "last_refreshed_at": NOW,
            "last_sweep_at": NOW,
            "pending_changes": 0,
            "oldest_pending_seconds": None,
            "differences": 0,
            "last_difference_at": None,
            "last_delivered_at": NOW,
            "last_undelivered_at": None,
            "reasons": [],
        }
        | overrides
    )


def metrics_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `get_metrics()`."""
    return (
        make_health(pending_changes=7, oldest_pending_seconds=12).model_dump(mode="json")
        | {
            "versions": {"postgres": "17.6", "migration": "20261121190180", "extensions": {"pg_cron": "1.6"}},
            "organizations": 4,
            "pending_unit_changes": 3,
            "oldest_unit_change_seconds": 1,
            "last_refresh_ms": 41,
            "last_folded_at": NOW.isoformat(),
            "last_fold_seconds": exact_json.loads("0.0123"),
            "last_audited_at": None,
            "wake_ups_sent": 4711,
            "recent_wake_ups": {"delivered": 20, "refused": 0, "failed": 1, "pending": 2},
            "schedules": [
                {"name": "fersk-nightly-audit", "is_alive": True, "succeeded_at": None},
                {"name": "fersk-sweep", "is_alive": False, "succeeded_at": NOW.isoformat()},
            ],
            "connections": 17,
            "max_connections": 100,
        }
        | overrides
    )


class Profile(NamedTuple):
    """What the fake database knows of a person."""

    organization_id: UUID = NHF
    role: str = "coordinator"
    is_active: bool = True


def make_profile(**overrides: Any) -> Profile:
    return Profile(**overrides)


def make_batch(**overrides: Any) -> DrainReport:
    return DrainReport.model_validate(
        {"units": 1, "invalidated": 3, "organization_ids": [NHF], "more": False} | overrides
    )


def make_payload(**overrides: Any) -> dict[str, Any]:
    """A payload as the client reads it."""
    payload = {
        "activity_count": 3,
        "total_hours": 4.25,
        "participant_count": 17,
        "distinct_contacts": 2,
        "active_peer_mentors": 2,
        "chapters_reporting": 1,
        "categories": {"INDIVIDUAL": 2, "uncategorised": 1},
        "approved_expenses_nok": 1234.5,
    }
    return dict(exactly(payload | overrides))


def make_entry(**overrides: Any) -> HierarchyEntry:
    return HierarchyEntry.model_validate(
        {"unit_id": UNIT, "year": 2026, "payload": make_payload(), "computed_at": NOW, "stale": False}
        | overrides
    )


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


def snapshot_json(**overrides: Any) -> dict[str, Any]:
    """A row of `bufdir_metric_snapshots`, as `get_metric_snapshot()` answers."""
    return {
        "id": SNAPSHOT_ID,
        "organization_id": str(NHF),
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "computed_at": "2026-03-14T09:26:53.589793+00:00",
        "snapshot_generated_at": "2026-03-14T09:26:53.712345+00:00",
        "record_count_at_generation": 3,
        "source_fingerprint": "c646630b0762767b7b83d053fe72bfa8",
        "mapping_version": 1,
        "snapshot_json": report_json(),
    } | overrides


def status_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `get_snapshot_status()`."""
    return {
        "verdict": "fresh",
        "reasons": [],
        "record_count_at_generation": 3,
        "record_count_now": 3,
        "computed_at": "2026-03-14T09:26:53.589793+00:00",
        "export_allowed": True,
        "warnings": [],
    } | overrides


def alignment_json(**overrides: Any) -> dict[str, Any]:
    """Answer of `get_bufdir_alignment()`: both sides say the same."""
    series = {"activity_count": 3, "total_hours": exact_json.loads("4.25"), "participant_count": 17}
    return {
        "report": report_json(),
        "dashboard": {"activity_time_series": series, "hierarchy": make_payload()},
        "thresholds": [
            {"bufdir_category_code": "INDIVIDUAL", "minimum_activity_count": 2, "at_risk_ratio": 1}
        ],
    } | overrides


def version_json(**overrides: Any) -> dict[str, Any]:
    """A version of a report, as `get_report_versions()` lists it: prepared, not yet signed."""
    return {
        "id": VERSION_ID,
        "organization_id": str(NHF),
        "organization_name": "Norges Handikapforbund",
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "version": 1,
        "report": report_json(),
        "record_count": 3,
        "source_fingerprint": "c646630b0762767b7b83d053fe72bfa8",
        "mapping_version": 1,
        "mapping": [
            {
                "activity_type_id": "5a1e7f0c-5b8e-4a39-9f27-0c2f4f6c7f10",
                "activity_type_code": "conversation",
                "label": "Samtale",
                "bufdir_category_code": "INDIVIDUAL",
            },
            {
                "activity_type_id": CAFE,
                "activity_type_code": "social_cafe",
                "label": "Sosial kafé",
                "bufdir_category_code": None,
            },
        ],
        "counting_rule": {"counts_in_statistics": "return p_status = 'registered';"},
        "previous_hash": "0" * 64,
        "hash": "7d" * 32,
        "prepared": signature_json("Kari Nordmann"),
        "approved": None,
        "sent": None,
    } | overrides


def signature_json(name: str, day: str = "2026-03-14") -> dict[str, Any]:
    """Who took a step, and when."""
    return {
        "profile_id": "2992d15c-f1cd-46c4-9745-e7ca36b04cd2",
        "name": name,
        "at": f"{day}T09:26:53.589793+00:00",
        "local_at": f"{day} 10:26",
    }


def explanation_json(**overrides: Any) -> dict[str, Any]:
    """Somebody has made an activity half an hour longer."""
    effect = {
        "activity_count": 0,
        "total_minutes": 30,
        "total_hours": exact_json.loads("0.50"),
        "participant_count": 0,
    }
    facts = {
        "unit_id": OSLO,
        "peer_mentor_id": "958ddca5-dd43-a042-5d89-77d2f297db4b",
        "activity_type_id": CAFE,
        "activity_date": "2026-03-10",
        "duration_minutes": 60,
        "participant_count": 3,
        "is_counted": True,
        "not_counted_because": None,
    }
    return {
        "version": VERSION_ID,
        "against": None,
        "difference": effect,
        "unrecorded": dict.fromkeys(effect, 0),
        "mapping_changes": [],
        "kinds": [effect | {"kind": "edited", "activities": 1}],
        "chapters": [effect | {"chapter_id": OSLO, "chapter_name": "NHF Oslo"}],
        "people": [effect | {"peer_mentor_id": facts["peer_mentor_id"], "peer_mentor_name": "Ola Nordmann"}],
        "activities": [
            effect
            | {
                "activity_id": "18530985-5e9e-4e5b-85fc-1ba0cfeabed0",
                "kind": "edited",
                "before": facts,
                "after": facts | {"duration_minutes": 90},
                "category_before": None,
                "category_after": None,
            }
        ],
    } | overrides


def remark_json(**overrides: Any) -> dict[str, Any]:
    """Somebody who registered a lot on one day."""
    return {
        "kind": "person_day",
        "chapter_id": None,
        "chapter_name": None,
        "peer_mentor_id": "958ddca5-dd43-a042-5d89-77d2f297db4b",
        "peer_mentor_name": "Ola Nordmann",
        "activity_id": None,
        "day": "2026-03-10",
        "number": 2,
        "hours": exact_json.loads("13.50"),
        "expected": 12,
        "in_all": 1,
        "place": 1,
    } | overrides


ANSWERS: dict[str, Any] = {
    "acknowledge_wake_ups": 1,
    "approve_report": version_json(approved=signature_json("Astrid Nordmann", "2026-03-16")),
    "claim_webhook": True,
    "export_report_version": {
        "export_id": 1,
        "version": version_json(approved=signature_json("Astrid Nordmann", "2026-03-16")),
        "audit": None,
    },
    "explain_report_difference": explanation_json(),
    "generate_bufdir_report": report_json(),
    "get_bufdir_alignment": alignment_json(),
    "get_health": make_health().model_dump(mode="json"),
    "get_metric_snapshot": snapshot_json(),
    "get_metrics": metrics_json(),
    "get_report_remarks": [remark_json()],
    "get_report_versions": [version_json()],
    "get_role": "coordinator",
    "get_snapshot_status": status_json(),
    "precompute_hierarchy": 46,
    "prepare_report": version_json(),
    "read_hierarchy_stats": exactly(make_entry()),
    "record_node_reads": 1,
    "refresh_hierarchy_entry": True,
    "refresh_stats_views": make_report().model_dump(mode="json"),
    "renew_metric_snapshot": True,
    "request_invalidation_again": 4711,
    "save_metric_snapshot": snapshot_json(),
    "send_report": version_json(
        approved=signature_json("Astrid Nordmann", "2026-03-16"),
        sent=signature_json("Kari Nordmann", "2026-03-17"),
    ),
    "take_refresh_turn": None,
    "take_unit_changes": make_batch().model_dump(mode="json"),
    "warm_hierarchy_cache": {"warmed": 2, "skipped": 1},
}
"""What each SQL function answers on the good path."""
