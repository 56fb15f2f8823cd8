"""`GET /functions/v1/metrics`: the figures that monitoring draws and watches, as Prometheus reads them.

What writes them takes as long to load as all else together: it is loaded when they are asked for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from _shared.callers import Service
from _shared.http.endpoint import endpoint
from _shared.http.file import File
from _shared.result import Err, Ok, Result
from _shared.tally import TALLY

if TYPE_CHECKING:
    from _shared.database.statistics import DatabaseMetrics
    from _shared.http.request import Call
    from _shared.inputs import Input

MEDIA_TYPES = {"prometheus": "text/plain; version=0.0.4; charset=utf-8"}


@endpoint("GET", callers={Service})
async def metrics(call: Call[Input]) -> Result[File]:
    """Give the figures of the database, and of the process that answers.

    Errors : upstream_unavailable, upstream_timeout: as everywhere. Prometheus then has `up` at 0.
    Source : public.get_metrics().
    """
    found = await call.database.get_metrics()
    if isinstance(found, Err):
        return found
    content = await asyncio.to_thread(write, found.value)
    return Ok(File("metrics.txt", MEDIA_TYPES["prometheus"], content))


def write(found: DatabaseMetrics) -> bytes:
    """Give the text."""
    from metrics.figures import write_figures  # noqa: PLC0415 - loaded when it is asked for

    return write_figures(found, TALLY)
