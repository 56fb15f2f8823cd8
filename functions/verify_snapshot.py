"""`GET /functions/v1/verify-snapshot?period_start&period_end`: a saved report, computed anew and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from _shared.callers import User
from _shared.database.snapshots import Period
from _shared.differences import Difference, differences
from _shared.http.auth import require_role
from _shared.http.endpoint import endpoint
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.database.access import Role
    from _shared.http.request import Call

MAY_VERIFY: frozenset[Role] = frozenset({"coordinator", "org_admin"})


class Verification(BaseModel):
    """A saved snapshot against the registered activities of now.

    computed_at     : when the saved figures were computed.
    mapping_version : with which both were computed.
    discrepancies   : `expected_value` is what the activities give, `actual_value` what was saved.
    """

    model_config = ConfigDict(frozen=True)

    matches: bool
    computed_at: AwareDatetime
    mapping_version: int
    discrepancies: list[Difference]


@endpoint("GET", callers={User}, query=Period)
async def verify_snapshot(call: Call[Period]) -> Result[Verification]:
    """Compare a saved snapshot with the report of now, field by field and type by type.

    Both with the snapshot's own version of the mapping, and both as the user may see them. What is compared
    is what stands in the database, however it came there.
    Errors : forbidden (no active coordinator or org admin), not_found (nothing saved), feature_disabled,
             conflict (that version of the mapping is gone).
    Source : public.get_metric_snapshot(), public.generate_bufdir_report().
    """
    refused = await require_role(call.user, MAY_VERIFY, call.database)
    if refused is not None:
        return refused
    found = await call.database.get_stored_report(call.user, call.input)
    if isinstance(found, Err):
        return found
    stored = found.value
    if stored is None:
        return Err(ErrorCode.NOT_FOUND)
    report = await call.database.generate_bufdir_report(
        call.user, stored.organization_id, call.input, stored.mapping_version
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
