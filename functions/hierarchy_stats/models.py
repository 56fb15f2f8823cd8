"""What `hierarchy-stats` is asked, and what it answers."""

from __future__ import annotations

from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import ConfigDict, Field

from _shared.call import Input
from _shared.rows import HierarchyEntry


class HierarchyQuery(Input):
    """Which summary.

    year : by UTC days; the current one if not given.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"unit_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "year": "2026"}]}
    )

    unit_id: UUID
    year: int | None = Field(None, ge=2000, le=2099)


class HierarchyStats(HierarchyEntry):
    """A summary, and how it stands with it.

    stale      : it was computed before the last change.
    refreshing : it is being computed anew behind this answer; ask again in a moment.
    """

    refreshing: bool
