"""What `metric-snapshots` is asked and answers; the snapshot itself is the database's row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from _shared.bufdir_rows import MetricSnapshot
from _shared.periods import Period

if TYPE_CHECKING:
    from _shared.rows import Role

__all__ = ["MAY_DELETE", "Deleted", "MetricSnapshot", "Period"]

MAY_DELETE: frozenset[Role] = frozenset({"coordinator", "org_admin"})
"""As the policy on the table says, which alone decides; used to tell why nothing was deleted."""


class Deleted(BaseModel):
    """There was a snapshot, and now there is none."""

    model_config = ConfigDict(frozen=True)

    deleted: bool = True
