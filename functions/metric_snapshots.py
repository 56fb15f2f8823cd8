"""`GET`, `PUT` and `DELETE /functions/v1/metric-snapshots?period_start&period_end`: saved reports.

With the rights of the user's own token; the snapshot itself is the database's row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from _shared.callers import User
from _shared.database.client import is_unexpected
from _shared.database.snapshots import MetricSnapshot, Period
from _shared.http.auth import require_role
from _shared.http.endpoint import endpoint
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.database import Database
    from _shared.database.access import Role
    from _shared.http.request import Call

MAY_DELETE: frozenset[Role] = frozenset({"coordinator", "org_admin"})
"""As the policy on the table says, which alone decides; used to tell why nothing was deleted."""


class Deleted(BaseModel):
    """There was a snapshot, and now there is none."""

    model_config = ConfigDict(frozen=True)

    deleted: bool = True


@endpoint("GET", "PUT", "DELETE", callers={User}, query=Period)
async def metric_snapshots(call: Call[Period]) -> Result[MetricSnapshot | Deleted | None]:
    """Look up, compute and save, or delete the figures of a period."""
    match call.method:
        case "PUT":
            return await put_snapshot(call.user, call.input, call.database)
        case "DELETE":
            return await delete_snapshot(call.user, call.input, call.database)
        case _:
            return await get_snapshot(call.user, call.input, call.database)


async def get_snapshot(user: User, period: Period, database: Database) -> Result[MetricSnapshot | None]:
    """Look a snapshot up: one indexed row, and nothing is summed. None when there is none.

    One that cannot be read is computed anew.
    Errors : forbidden (no active member), feature_disabled.
    Source : public.get_metric_snapshot(), public.renew_metric_snapshot().
    """
    found = await database.get_metric_snapshot(user, period)
    if not is_unexpected(found):
        return found
    stored = await database.get_stored_report(user, period)
    if isinstance(stored, Err):
        return stored
    if stored.value is not None:
        renewed = await database.renew_metric_snapshot(stored.value.organization_id, period)
        if isinstance(renewed, Err):
            return renewed
    return await database.get_metric_snapshot(user, period)


async def put_snapshot(user: User, period: Period, database: Database) -> Result[MetricSnapshot]:
    """Have the database compute the figures of a period and save them in place of those saved before.

    What it saves, nobody hands in. Of two at once, the later one stays.
    Errors : forbidden (no active coordinator or org admin), feature_disabled.
    Source : public.save_metric_snapshot().
    """
    return await database.save_metric_snapshot(user, period)


async def delete_snapshot(user: User, period: Period, database: Database) -> Result[Deleted]:
    """Delete a snapshot, which row-level security allows coordinators and org admins.

    Errors : not_found, forbidden (there is one, but not for this user to delete), feature_disabled,
             conflict (it was replaced at that very moment).
    """
    deleted = await database.delete_metric_snapshot(user, period)
    if isinstance(deleted, Err):
        return deleted
    if deleted.value:
        return Ok(Deleted())
    found = await get_snapshot(user, period, database)
    if isinstance(found, Err):
        return found
    if found.value is None:
        return Err(ErrorCode.NOT_FOUND)
    return await require_role(user, MAY_DELETE, database) or Err(ErrorCode.CONFLICT)
