"""`POST /functions/v1/refresh-stats-views`: who may ask for a refresh, and who waits for it.

Whether there is anything to refresh, the database knows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from _shared.callers import Service, User, Webhook
from _shared.database.statistics import RefreshReport
from _shared.http.endpoint import endpoint
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.database import Database
    from _shared.http.request import Call

WEBHOOK_PATIENCE_SECONDS = 0.1
"""How long a webhook waits for its refresh: its sender takes no next batch before it has every answer of this
one, so a refresh of seconds would hold up all other wake-ups."""


class RefreshRequest(Input):
    """Nothing to choose: the database knows what is pending."""


@endpoint("POST", callers={Webhook, Service, User}, body=RefreshRequest)
async def refresh_stats_views(call: Call[RefreshRequest]) -> Result[RefreshReport]:
    """Fold the log, then refresh `mv_*` if it is time.

    A webhook whose refresh takes longer than a moment is answered `already_running`; the refresh goes on
    behind the answer, and its failure is logged.

    Errors : forbidden (a user who is no active coordinator or org admin), rate_limited (a user who asks
             too often), upstream_unavailable, upstream_timeout, internal (the refresh failed; the database
             holds the reason). Safe to repeat: the changes stay in the log until they are applied.
    Source : public.take_refresh_turn(), public.refresh_stats_views().
    """
    if isinstance(call.caller, User):
        turn = await call.database.take_refresh_turn(call.caller)
        if isinstance(turn, Err):
            return turn
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
