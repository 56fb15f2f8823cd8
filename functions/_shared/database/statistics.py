"""The refresh of the statistics, and how far they are behind."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator

from _shared.database.client import Client, Row, row
from _shared.result import Err, Ok

if TYPE_CHECKING:
    from _shared.callers import User
    from _shared.result import Result


def _whole(value: object) -> object:
    return round(value) if isinstance(value, Decimal) else value


Milliseconds = Annotated[int, BeforeValidator(_whole)]
Seconds = Annotated[int, BeforeValidator(_whole)]


class RefreshReport(Row):
    """Answer of `refresh_stats_views()`.

    outcome         : `failed` says that the database keeps the reason; the changes stay in its log.
    refreshed_at    : when `mv_*` were last refreshed, by this call or an earlier one.
    applied_changes : changes that `mv_*` lacked and this call brought into them.
    duration_ms     : time the refresh took; 0 when there was none.
    """

    outcome: Literal["refreshed", "debounced", "already_running", "nothing_pending", "failed"]
    refreshed_at: AwareDatetime | None
    applied_changes: int
    duration_ms: Milliseconds


class Reason(Row):
    """One thing that is not well.

    code   : what; programs may rely on it.
    since  : since when; None if that is not known.
    remedy : what to do about it, for people.
    """

    code: str
    since: AwareDatetime | None
    remedy: str


class DatabaseHealth(Row):
    """Answer of `get_health()`; the database's last error and its versions stay in the database.

    pending_changes     : changes that `mv_*` lack; live statistics have them.
    differences         : what audits of the last day found to differ from the activities.
    last_difference_at  : when an audit last found any; None if never.
    last_delivered_at   : when a function last accepted a wake-up; None if never.
    last_undelivered_at : when one was last refused or not answered; None if never.
    reasons             : why not all is well; empty when it is.
    """

    last_refreshed_at: AwareDatetime | None
    last_sweep_at: AwareDatetime | None
    pending_changes: int
    oldest_pending_seconds: Seconds | None
    differences: int
    last_difference_at: AwareDatetime | None
    last_delivered_at: AwareDatetime | None
    last_undelivered_at: AwareDatetime | None
    reasons: tuple[Reason, ...]


class Versions(Row):
    """What is at work. migration: the newest; None where the CLI keeps no record."""

    postgres: str
    migration: str | None


class Schedule(Row):
    """One of pg_cron's. is_alive: it is on, and its newest run did not fail."""

    name: str
    is_alive: bool
    succeeded_at: AwareDatetime | None


class DatabaseMetrics(DatabaseHealth):
    """Answer of `get_metrics()`: health, and what else monitoring draws."""

    versions: Versions
    organizations: int
    pending_unit_changes: int
    oldest_unit_change_seconds: Seconds
    last_refresh_ms: Milliseconds | None
    last_folded_at: AwareDatetime | None
    last_fold_seconds: float | None
    last_audited_at: AwareDatetime | None
    wake_ups_sent: int
    recent_wake_ups: dict[Literal["delivered", "refused", "failed", "pending"], int]
    schedules: tuple[Schedule, ...]
    connections: int
    max_connections: int


class Statistics(Client):
    """With the secret key, but for a user's turn."""

    async def take_refresh_turn(self, user: User) -> Result[None]:
        """Count a refresh that a user asks for; rate_limited when they ask too often."""
        answer = await self._call("take_refresh_turn", user)
        return answer if isinstance(answer, Err) else Ok(None)

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        """Fold the log, then refresh `mv_*` if it is time."""
        return row(RefreshReport, await self._call("refresh_stats_views"))

    async def get_health(self) -> Result[DatabaseHealth]:
        """Read the ages, the backlog, and what audits found."""
        return row(DatabaseHealth, await self._call("get_health"))

    async def get_metrics(self) -> Result[DatabaseMetrics]:
        """Read what health tells, and the figures beside it."""
        return row(DatabaseMetrics, await self._call("get_metrics"))
