"""What `warm-hierarchy-cache` is asked; what it answers is the database's own report."""

from __future__ import annotations

from typing import Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from _shared.call import Input
from _shared.rows import WarmUpReport

__all__ = ["NIGHTLY", "WarmRequest", "WarmUpReport"]

NIGHTLY = "nightly"


class WarmRequest(Input):
    """Which summaries, and whose.

    type            : `nightly`: of all units, for this year, and until March for the last one too;
                      `most_read`: the outdated ones among those read most, as many as the organisation wants.
    organization_id : all organisations if not given.
    """

    type: Literal["nightly", "most_read"] = "most_read"
    organization_id: UUID | None = None
