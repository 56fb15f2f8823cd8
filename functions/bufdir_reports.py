"""`GET` and `POST /functions/v1/bufdir-reports`: the versions of a report, what is unusual, and the sign-off.

A report is prepared from the saved figures, approved by somebody else, and sent. The database decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import ConfigDict, Field

from _shared.callers import User
from _shared.database.report_versions import Explanation, Remark, ReportVersion
from _shared.database.snapshots import Period
from _shared.http.endpoint import endpoint
from _shared.remarks import Sentence, sentence
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.database import Database
    from _shared.http.request import Call

STALE = "The saved figures are not fresh: compute them again, then prepare."


class ReportQuery(Period):
    """The period of a report; with GET what to show of it, with POST the step to take.

    version : of which one; not to prepare, which makes the next.
    against : what it is compared with; without, the activities of now.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"period_start": "2026-01-01", "period_end": "2027-01-01", "step": "prepare"}]
        }
    )

    show: Literal["versions", "remarks", "difference"] = "versions"
    step: Literal["prepare", "approve", "send"] | None = None
    version: Annotated[UUID | None, Field(strict=False)] = None
    against: Annotated[UUID | None, Field(strict=False)] = None


class SaidRemark(Remark):
    """A remark, also in words."""

    sentence: Sentence


@endpoint("GET", "POST", callers={User}, query=ReportQuery)
async def bufdir_reports(
    call: Call[ReportQuery],
) -> Result[ReportVersion | list[ReportVersion] | list[SaidRemark] | Explanation]:
    """List a period's versions, newest first, what is unusual in it, or what differs; or take a step.

    Errors : forbidden (no active coordinator or org admin; to explain a difference, no org admin; the one
             who prepared approves), not_found (nothing
             saved, no such version), conflict (not fresh, not approved, signed already, superseded, or the
             activities have changed since), feature_disabled.
    Source : public.get_report_versions(), get_report_remarks(), explain_report_difference(),
             prepare_report(), approve_report(), send_report().
    """
    if call.method == "POST":
        return await take_step(call.user, call.input, call.database)
    if call.input.show == "difference":
        if call.input.version is None:
            return Err(ErrorCode.BAD_REQUEST, "A difference is that of a version.")
        return await call.database.explain_report_difference(
            call.user, call.input.version, call.input.against
        )
    if call.input.show == "remarks":
        return await say_remarks(call.user, call.input, call.database)
    return await call.database.get_report_versions(call.user, call.input)


async def say_remarks(user: User, period: Period, database: Database) -> Result[list[SaidRemark]]:
    """Put what is unusual into words."""
    found = await database.get_report_remarks(user, period)
    if isinstance(found, Err):
        return found
    return Ok([SaidRemark(**remark.model_dump(), sentence=sentence(remark)) for remark in found.value])


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
