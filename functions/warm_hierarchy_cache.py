"""`POST /functions/v1/warm-hierarchy-cache`: which summaries are computed before somebody asks.

The most read ones, or by night all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from _shared.callers import Service, Webhook
from _shared.database.hierarchy import WarmUpReport
from _shared.http.endpoint import endpoint
from _shared.inputs import Input
from _shared.result import Err, Ok, Result
from _shared.warm_up import MAX_SECONDS, WarmUps

if TYPE_CHECKING:
    from datetime import date

    from _shared.database import Database
    from _shared.http.request import Call

LAST_MONTH_OF_LAST_YEAR = 3  # until the end of March, last year is still registered and read
NIGHTLY = "nightly"
WARM_UPS = WarmUps()


class WarmRequest(Input):
    """Which summaries, and whose.

    type            : `nightly`: of all units, for this year, and until March for the last one too;
                      `most_read`: the outdated ones among those read most, as many as the organisation wants.
    organization_id : all organisations if not given.
    """

    type: Literal["nightly", "most_read"] = "most_read"
    organization_id: UUID | None = None


@endpoint("POST", callers={Webhook, Service}, body=WarmRequest)
async def warm_hierarchy_cache(call: Call[WarmRequest]) -> Result[WarmUpReport]:
    """Compute summaries before somebody asks for them."""
    return await warm_hierarchy(call, WARM_UPS, datetime.now(UTC).date())


async def warm_hierarchy(call: Call[WarmRequest], warm_ups: WarmUps, today: date) -> Result[WarmUpReport]:
    """Warm up the organisations that want it: behind the answer of a webhook, before that of anybody else.

    today  : the day in UTC.
    Errors : upstream_unavailable, upstream_timeout, internal: the first met; the other organisations are
             warmed all the same. Safe to repeat.
    Source : public.warm_hierarchy_cache(), public.precompute_hierarchy().
    """
    wanted = call.webhook or call.input
    found = await call.database.list_warmed_organizations()
    if isinstance(found, Err):
        return found
    organization_ids = [found_id for found_id in found.value if wanted.organization_id in (None, found_id)]
    if wanted.type == NIGHTLY:
        warm_up = partial(precompute, call.database, today)
    else:
        warm_up = partial(call.database.warm_hierarchy_cache, seconds=MAX_SECONDS)
    warm = partial(warm_ups.run, organization_ids, warm_up)
    if isinstance(call.caller, Webhook):
        call.after.append(warm)
        return Ok(WarmUpReport(warmed=0, skipped=0))
    return await warm()


async def precompute(database: Database, today: date, organization_id: UUID) -> Result[WarmUpReport]:
    """Compute the summary of every unit of an organisation, for each year that is likely to be read."""
    units = 0
    for year in years_to_read(today):
        computed = await database.precompute_hierarchy(organization_id, year)
        if isinstance(computed, Err):
            return computed
        units += computed.value
    return Ok(WarmUpReport(warmed=units, skipped=0))


def years_to_read(today: date) -> list[int]:
    """Give this year, and in its first months the last one too."""
    return [today.year, today.year - 1] if today.month <= LAST_MONTH_OF_LAST_YEAR else [today.year]
