"""Decides who may ask for a refresh; whether there is anything to refresh, the database knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from _shared.auth import require_role
from _shared.callers import User, Webhook
from _shared.result import Err, ErrorCode, Ok, Result
from refresh_stats_views.models import MAY_REFRESH, RefreshReport, RefreshRequest

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.database import Database

WEBHOOK_PATIENCE_SECONDS = 0.1
"""How long a webhook waits for its refresh: its sender takes no next batch before it has every answer of this
one, so a refresh of seconds would hold up all other wake-ups."""


async def refresh_statistics(call: Call[RefreshRequest]) -> Result[RefreshReport]:
    """Fold the log, then refresh `mv_*` if it is time.

    A webhook whose refresh takes longer than a moment is answered `already_running`; the refresh goes on
    behind the answer, and its failure is logged.

    Errors : forbidden (a user who is no active coordinator or org admin), upstream_unavailable,
             upstream_timeout, internal (the refresh failed; the database holds the reason). Safe to repeat:
             the changes stay in the log until they are applied.
    Source : public.refresh_stats_views().
    """
    if isinstance(call.caller, User):
        profile = await require_role(call.caller, MAY_REFRESH, call.database)
        if isinstance(profile, Err):
            return profile
    if not isinstance(call.caller, Webhook):
        return await _refresh(call.database)
    refresh = asyncio.ensure_future(_refresh(call.database))
    await asyncio.wait({refresh}, timeout=WEBHOOK_PATIENCE_SECONDS)
    if refresh.done():
        return await refresh
    call.after.append(lambda: refresh)
    return Ok(RefreshReport(outcome="already_running", refreshed_at=None, applied_changes=0, duration_ms=0))


async def _refresh(database: Database) -> Result[RefreshReport]:
    report = await database.refresh_stats_views()
    if isinstance(report, Ok) and report.value.outcome == "failed":
        return Err(ErrorCode.INTERNAL, cause="refresh failed")
    return report
