"""The database as the functions see it, one method per SQL function, and how PostgREST provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from _shared.hierarchy_database import HierarchyDatabase, SupabaseHierarchy
from _shared.metrics_database import MetricsDatabase, SupabaseMetrics
from _shared.rest import execute, row, scalar, unexpected
from _shared.result import Err, Ok, Result
from _shared.rows import DatabaseHealth, Profile, RefreshReport

if TYPE_CHECKING:
    from _shared.callers import User


class Database(HierarchyDatabase, MetricsDatabase, Protocol):
    """Every method answers Err with `upstream_unavailable` (safe to retry), `upstream_timeout` or `internal`;
    those that act for a user also with `unauthorized`, `forbidden`, `bad_request` or `feature_disabled`.
    """  # noqa: D205

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        """Fold the log, then refresh `mv_*` if it is time."""

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        """Remember a webhook; false when it was seen before."""

    async def get_health(self) -> Result[DatabaseHealth]:
        """Read the ages, the backlog, and what audits found."""

    async def get_profile(self, user: User) -> Result[Profile | None]:
        """Read the user's own profile with the user's own rights; None when there is none."""


class SupabaseDatabase(SupabaseHierarchy, SupabaseMetrics):
    """`Database` over PostgREST."""

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        return row(RefreshReport, await self._call("refresh_stats_views"))

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        return scalar(bool, await self._call("claim_webhook", p_webhook_id=webhook_id), "claim")

    async def get_health(self) -> Result[DatabaseHealth]:
        return row(DatabaseHealth, await self._call("get_health"))

    async def get_profile(self, user: User) -> Result[Profile | None]:
        columns = ("organization_id", "role", "is_active")
        query = self._as(user).from_("profiles").select(*columns).eq("id", user.id)
        answer = await execute(query, for_user=True)
        if isinstance(answer, Err):
            return answer
        if not isinstance(answer.value, list):
            return unexpected("Profile")
        return row(Profile, Ok(answer.value[0])) if answer.value else Ok(None)
