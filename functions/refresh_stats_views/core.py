"""Decides who may ask for a refresh; whether there is anything to refresh, the database knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.auth import require_role
from _shared.callers import Caller, User
from _shared.result import Err, ErrorCode, Ok, Result
from refresh_stats_views.models import MAY_REFRESH, RefreshReport

if TYPE_CHECKING:
    from _shared.database import Database


async def refresh_statistics(caller: Caller, database: Database) -> Result[RefreshReport]:
    """Fold the pending changes into the snapshots, or learn that there is no need.

    Errors : forbidden (a user who is no active coordinator or org admin), upstream_unavailable,
             upstream_timeout, internal (the refresh failed; the database holds the reason). Safe to repeat:
             the changes stay in the log until they are applied.
    Source : public.refresh_stats_views().
    """
    if isinstance(caller, User):
        profile = await require_role(caller, MAY_REFRESH, database)
        if isinstance(profile, Err):
            return profile
    report = await database.refresh_stats_views()
    if isinstance(report, Ok) and report.value.outcome == "failed":
        return Err(ErrorCode.INTERNAL, cause="refresh failed")
    return report
