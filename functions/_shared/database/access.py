"""What the database knows of who calls: their profile, the kill switch, and which webhooks it sent before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import ConfigDict

from _shared.database.client import Client, Row, StrictRow, execute, first, scalar
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.callers import User

Role = Literal["peer_mentor", "coordinator", "org_admin"]


class Profile(Row):
    """A row of `profiles`, as its owner may read it."""

    organization_id: UUID
    role: Role
    is_active: bool


class StatisticsSettings(StrictRow):
    """The kill switch."""

    model_config = ConfigDict(extra="ignore")  # a part of the row

    statistics_enabled: bool


class Access(Client):
    """A user's own profile and settings are read with the user's own rights."""

    async def get_profile(self, user: User) -> Result[Profile | None]:
        """Read the user's own profile; None when there is none."""
        columns = ("organization_id", "role", "is_active")
        query = self._as(user).from_("profiles").select(*columns).eq("id", user.id)
        return first(Profile, await execute(query, for_user=True))

    async def check_statistics_enabled(self, user: User) -> Result[None]:
        """Tell why a user sees nothing: feature_disabled, or forbidden for who is no active member."""
        query = self._as(user).from_("organization_settings").select("statistics_enabled")
        found = first(StatisticsSettings, await execute(query, for_user=True))
        if isinstance(found, Err):
            return found
        if found.value is None:
            return Err(ErrorCode.FORBIDDEN, cause="no active member")
        return Ok(None) if found.value.statistics_enabled else Err(ErrorCode.FEATURE_DISABLED)

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        """Remember a webhook; false when it was seen before."""
        return scalar(bool, await self._call("claim_webhook", p_webhook_id=webhook_id), "claim")
