"""What `invalidate-hierarchy-cache` answers; it is asked nothing: the log knows what changed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class InvalidationReport(BaseModel):
    """What this call did; with several at once, each counts its own part.

    units       : changed units taken from the log before this answer, counted once a batch.
    invalidated : summaries marked: of those units and their ancestors, by year.
    warmed      : summaries computed anew before this answer; none for a webhook, which is answered first.
    """

    model_config = ConfigDict(frozen=True)

    units: int
    invalidated: int
    warmed: int
