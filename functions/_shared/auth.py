"""Who is calling, and whether they are someone who may."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from _shared import webhooks
from _shared.callers import Anonymous, Caller, Service, User
from _shared.result import Err, ErrorCode, Ok, Result
from _shared.tokens import says_service_role

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from _shared.database import Database
    from _shared.rows import Profile, Role
    from _shared.runtime import Runtime


LEGACY_KEY = "Legacy service_role keys are not accepted; call with the project's secret key (sb_secret_…)."


async def authenticate(
    headers: Mapping[str, str], body: bytes, accepted: Collection[type[Caller]], runtime: Runtime
) -> Result[Caller]:
    """Tell the caller from the headers (lower-case names) and the raw body.

    accepted : the kinds of caller that the function is for.
    Errors   : unauthorized (no valid credentials), forbidden (valid ones of a kind not accepted),
               upstream_unavailable (the keys to check a token cannot be fetched).
    """
    if Anonymous in accepted:
        return Ok(Anonymous())
    caller = await _identify(headers, body, runtime)
    if isinstance(caller, Ok) and type(caller.value) not in accepted:
        return Err(ErrorCode.FORBIDDEN, cause=f"not for a {type(caller.value).__name__}")
    return caller


async def _identify(headers: Mapping[str, str], body: bytes, runtime: Runtime) -> Result[Caller]:
    if webhooks.is_webhook(headers):
        return webhooks.verify(runtime.settings.webhook_secret, headers, body)
    # A user's token outranks the key that clients send along with it, as at Supabase's own gateway.
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    credential = bearer.strip() if scheme.lower() == "bearer" else headers.get("apikey", "")
    if not credential:
        return Err(ErrorCode.UNAUTHORIZED, cause="no credentials")
    secret_key = runtime.settings.secret_key.get_secret_value()
    if hmac.compare_digest(credential.encode(), secret_key.encode()):
        return Ok(Service())
    if says_service_role(credential):
        return Err(ErrorCode.UNAUTHORIZED, LEGACY_KEY, cause="legacy service_role key")
    return await runtime.tokens.verify(credential)


async def require_role(user: User, roles: Collection[Role], database: Database) -> Result[Profile]:
    """Let only active users with one of `roles` pass, by their profile of this moment, not by their token.

    Errors: forbidden, also for someone whose profile is gone; or what kept the database from telling.
    """
    found = await database.get_profile(user)
    if isinstance(found, Err):
        return found
    profile = found.value
    if profile is None or not profile.is_active or profile.role not in roles:
        return Err(ErrorCode.FORBIDDEN)
    return Ok(profile)
