"""What `snapshot-status` answers: the database's decision, and a sentence about it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from _shared.bufdir_rows import SnapshotStatus
from _shared.periods import Period

__all__ = ["Banner", "Period", "SnapshotStatus", "StatusReport"]


class Banner(BaseModel):
    """One sentence or two, in English and in Norwegian (bokmål)."""

    model_config = ConfigDict(frozen=True)

    en: str
    nb: str


class StatusReport(SnapshotStatus):
    """May the saved figures be exported, and what is there to say about them."""

    banner: Banner
