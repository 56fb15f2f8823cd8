"""`GET /functions/v1/bufdir-alignment?year`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _shared.callers import User
from _shared.endpoint import endpoint
from bufdir_alignment.core import check_alignment
from bufdir_alignment.models import AlignmentQuery, AlignmentReport

if TYPE_CHECKING:
    from _shared.call import Call
    from _shared.result import Result


@endpoint("GET", callers={User}, query=AlignmentQuery)
async def bufdir_alignment(call: Call[AlignmentQuery]) -> Result[AlignmentReport]:
    """Check that dashboard and report agree on a year, and that the organisation is on track."""
    return await check_alignment(call.user, call.input.year, call.database)
