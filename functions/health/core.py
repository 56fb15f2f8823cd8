"""Decides what the outside may know about how we are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.result import Err, Ok, Result
from health.models import HealthReport

if TYPE_CHECKING:
    from _shared.database import Database


async def check_health(database: Database) -> Result[HealthReport]:
    """Ask the database for its ages and backlog.

    Errors : upstream_unavailable, upstream_timeout: this process lives, but is not ready.
    Source : public.get_health().
    """
    found = await database.get_health()
    if isinstance(found, Err):
        return found
    return Ok(HealthReport(**found.value.model_dump()))
