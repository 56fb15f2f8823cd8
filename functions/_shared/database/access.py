"""What the database knows of who calls: their role, and which webhooks it sent before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from _shared.database.client import Client, scalar, unexpected
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from _shared.callers import User

Role = Literal["peer_mentor", "coordinator", "org_admin"]


class Access(Client):
    """Roles are asked with the user's own rights."""

    async def get_role(self, user: User) -> Result[Role | None]:
        """Tell the user's role of this moment; None for no active member of the token's organisation."""
        answer = await self._call("get_role", user)
        if isinstance(answer, Err):
            return answer
        role: Role | None = next((role for role in get_args(Role) if role == answer.value), None)
        return Ok(role) if role == answer.value else unexpected("role")

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        """Remember a webhook; false when it was seen before."""
        return scalar(bool, await self._call("claim_webhook", p_webhook_id=webhook_id), "claim")
