"""What the database answers, as this code relies on it. Keys added by later migrations are ignored."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

Role = Literal["peer_mentor", "coordinator", "org_admin"]


def _whole(value: object) -> object:
    return round(value) if isinstance(value, float) else value


Milliseconds = Annotated[int, BeforeValidator(_whole)]
Seconds = Annotated[int, BeforeValidator(_whole)]


class Row(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RefreshReport(Row):
    """Answer of `refresh_stats_views()`.

    outcome         : `failed` says that the database keeps the reason; the changes stay in its log.
    refreshed_at    : when the snapshots were last brought up to date, by this call or an earlier one.
    applied_changes : rows of the change log that this call folded into the snapshots.
    duration_ms     : time the refresh took; 0 when there was none.
    """

    outcome: Literal["refreshed", "debounced", "already_running", "nothing_pending", "failed"]
    refreshed_at: AwareDatetime | None
    applied_changes: int
    duration_ms: Milliseconds


class DatabaseHealth(Row):
    """Answer of `get_health()`; the database's last error stays in the database."""

    last_refreshed_at: AwareDatetime | None
    last_sweep_at: AwareDatetime | None
    pending_changes: int
    oldest_pending_seconds: Seconds | None


class Profile(Row):
    """A row of `profiles`, as its owner may read it."""

    organization_id: UUID
    role: Role
    is_active: bool
