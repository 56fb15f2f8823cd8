"""`GET /functions/v1/health`: what the outside may know about how we are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from _shared.callers import Anonymous
from _shared.database.statistics import DatabaseHealth
from _shared.http.endpoint import endpoint
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from _shared.http.request import Call
    from _shared.inputs import Input


class HealthReport(DatabaseHealth):
    """Able to work. A function that cannot reach its database answers an error instead.

    Degraded is no reason to call elsewhere: what is not well is the upkeep, and every function has the same.
    """

    status: Literal["ready", "degraded"]
    database: Literal["reachable"] = "reachable"


@endpoint("GET", callers={Anonymous})
async def health(call: Call[Input]) -> Result[HealthReport]:
    """Say whether the database is reachable, how far the statistics are behind, and what is not well.

    Errors : upstream_unavailable, upstream_timeout: this process lives, but is not ready.
    Source : public.get_health().
    """
    found = await call.database.get_health()
    if isinstance(found, Err):
        return found
    status: Literal["ready", "degraded"] = "degraded" if found.value.reasons else "ready"
    return Ok(HealthReport(status=status, **found.value.model_dump()))
