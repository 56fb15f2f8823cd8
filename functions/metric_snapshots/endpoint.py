"""`GET`, `PUT` and `DELETE /functions/v1/metric-snapshots?period_start&period_end`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import User
from _shared.endpoint import endpoint
from metric_snapshots.core import delete_snapshot, get_snapshot, put_snapshot
from metric_snapshots.models import Deleted, MetricSnapshot, Period

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result


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
