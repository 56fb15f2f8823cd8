"""Computes a saved report anew, and compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.auth import require_role
from _shared.differences import differences
from _shared.result import Err, ErrorCode, Ok, Result
from verify_snapshot.models import MAY_VERIFY, Period, Verification

if TYPE_CHECKING:
    from _shared.callers import User
    from _shared.database import Database


async def verify(user: User, period: Period, database: Database) -> Result[Verification]:
    """Compare a saved snapshot with the report of now, field by field and type by type.

    Both with the snapshot's own version of the mapping. What is compared is what stands in the database,
    however it came there.
    Errors : forbidden (no active coordinator or org admin), not_found (nothing saved), feature_disabled,
             conflict (that version of the mapping is gone).
    Source : public.bufdir_metric_snapshots, public.generate_bufdir_report().
    """
    profile = await require_role(user, MAY_VERIFY, database)
    if isinstance(profile, Err):
        return profile
    found = await database.get_stored_report(user, period)
    if isinstance(found, Err):
        return found
    stored = found.value
    if stored is None:
        refused = await database.check_statistics_enabled(user)
        return refused if isinstance(refused, Err) else Err(ErrorCode.NOT_FOUND)
    report = await database.generate_bufdir_report(
        user, stored.organization_id, period, stored.mapping_version
    )
    if isinstance(report, Err):
        # All else in the question came from the database: it is the version that it does not know any more.
        if report.code is ErrorCode.BAD_REQUEST:
            return Err(
                ErrorCode.CONFLICT, "The mapping this snapshot was computed with is gone.", report.cause
            )
        return report
    found_differences = list(differences(report.value, stored.snapshot_json))
    return Ok(
        Verification(
            matches=not found_differences,
            computed_at=stored.computed_at,
            mapping_version=stored.mapping_version,
            discrepancies=found_differences,
        )
    )
