"""Passes on what the database decided about a saved snapshot, and puts it into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.result import Err, Ok, Result
from snapshot_status.banner import banner
from snapshot_status.models import Period, StatusReport

if TYPE_CHECKING:
    from _shared.callers import User
    from _shared.database import Database


async def check_status(user: User, period: Period, database: Database) -> Result[StatusReport]:
    """Say whether the saved figures of a period are missing, fresh or stale, and may be exported.

    Errors : forbidden (no active member), feature_disabled.
    Source : public.get_snapshot_status(); nothing is decided here.
    """
    found = await database.get_snapshot_status(user, period)
    if isinstance(found, Err):
        return found
    return Ok(StatusReport(**found.value.model_dump(), banner=banner(found.value)))
