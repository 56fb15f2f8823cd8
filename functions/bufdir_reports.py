"""`GET` and `POST /functions/v1/bufdir-reports`: the versions of a report, and their sign-off.

A report is prepared from the saved figures, approved by somebody else, and sent. The database decides each step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from _shared.callers import User
from _shared.database.report_versions import ReportVersion
from _shared.database.snapshots import Period
from _shared.http.endpoint import endpoint
from _shared.result import Err, ErrorCode, Result

if TYPE_CHECKING:
    from _shared.database import Database
    from _shared.http.request import Call

STALE = "The saved figures are not fresh: compute them again, then prepare."


class ReportQuery(Period):
    """The period of a report, and with POST the step to take.

    version : of which one; not to prepare, which makes the next.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"period_start": "2026-01-01", "period_end": "2027-01-01", "step": "prepare"}]
        }
    )

    step: Literal["prepare", "approve", "send"] | None = None
    version: Annotated[UUID | None, Field(strict=False)] = None


@endpoint("GET", "POST", callers={User}, query=ReportQuery)
async def bufdir_reports(call: Call[ReportQuery]) -> Result[ReportVersion | list[ReportVersion]]:
    """List the versions of a period's report, newest first; or take a step.

    Errors : forbidden (no active coordinator or org admin; the one who prepared approves), not_found (nothing
             saved, no such version), conflict (not fresh, not approved, signed already, superseded, or the
             activities have changed since), feature_disabled.
    Source : public.get_report_versions(), public.prepare_report(), public.approve_report(), public.send_report().
    """
    if call.method == "GET":
        return await call.database.get_report_versions(call.user, call.input)
    return await take_step(call.user, call.input, call.database)


async def take_step(user: User, query: ReportQuery, database: Database) -> Result[ReportVersion]:
    """Take the next step of a report."""
    if query.step == "prepare" and query.version is None:
        prepared = await database.prepare_report(user, query)
        if isinstance(prepared, Err) and prepared.code is ErrorCode.CONFLICT:
            return Err(prepared.code, STALE, prepared.cause)
        return prepared
    if query.step == "approve" and query.version is not None:
        return await database.approve_report(user, query.version)
    if query.step == "send" and query.version is not None:
        return await database.send_report(user, query.version)
    return Err(ErrorCode.BAD_REQUEST, "A step is to prepare, or to approve or send a version.")
