"""Who is calling, whether they are someone who may, and whether there is a place for them."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import jwt
from pydantic import SecretStr

from _shared.callers import Anonymous, Caller, Service, User
from _shared.http import webhooks
from _shared.http.keys import ALGORITHMS, KeySet
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    import httpx

    from _shared.database import Database
    from _shared.database.access import Role
    from _shared.settings import Settings

T = TypeVar("T")

AUDIENCE = "authenticated"
LEEWAY_SECONDS = 10  # clocks of two machines differ
# Of the process's sixteen connections.
AT_ONCE = 4
AT_ONCE_OF_AN_ORGANIZATION = 8
PATIENCE_SECONDS = 2.0
REST_SECONDS = 1.0
BUSY = Err(
    ErrorCode.RATE_LIMITED,
    "Too many requests at once; try again shortly.",
    cause="no place",
    retry_after_seconds=1,
)
LEGACY_KEY = "Legacy service_role keys are not accepted; call with the project's secret key (sb_secret_…)."


class Authenticator:
    """Tells callers apart: webhooks by their signature, services by the secret key, users by their token.

    Tokens are verified here, so that a bad one costs no call to the auth server: HS256 with the project's
    secret, ES256 or RS256 with a key of its JWKS, nothing else.
    """

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._keys = KeySet(str(settings.jwks_url), http) if settings.jwks_url else None

    async def authenticate(
        self, headers: Mapping[str, str], body: bytes, accepted: Collection[type[Caller]]
    ) -> Result[Caller]:
        """Tell the caller from the headers (lower-case names) and the raw body.

        accepted : the kinds of caller that the function is for.
        Errors   : unauthorized (no valid credentials), forbidden (valid ones of a kind not accepted),
                   upstream_unavailable (the keys to check a token cannot be fetched).
        """
        if Anonymous in accepted:
            return Ok(Anonymous())
        caller = await self._identify(headers, body)
        if isinstance(caller, Ok) and type(caller.value) not in accepted:
            return Err(ErrorCode.FORBIDDEN, cause=f"not for a {type(caller.value).__name__}")
        return caller

    async def _identify(self, headers: Mapping[str, str], body: bytes) -> Result[Caller]:
        # A claim to be a webhook with a part missing is refused, not ignored.
        if any(name in headers for name in webhooks.HEADERS):
            return webhooks.verify(self._settings.webhook_secret, headers, body)
        # A user's token outranks the key that clients send along with it, as at Supabase's own gateway.
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        credential = bearer.strip() if scheme.lower() == "bearer" else headers.get("apikey", "")
        if not credential:
            return Err(ErrorCode.UNAUTHORIZED, cause="no credentials")
        secret_key = self._settings.secret_key.get_secret_value()
        if hmac.compare_digest(credential.encode(), secret_key.encode()):
            return Ok(Service())
        if _says_service_role(credential):
            return Err(ErrorCode.UNAUTHORIZED, LEGACY_KEY, cause="legacy service_role key")
        return await self.verify_token(credential)

    async def verify_token(self, token: str) -> Result[User]:
        """Check signature, expiry, audience, role and subject.

        Errors: unauthorized, for every way of being wrong alike; upstream_unavailable, when the public keys
        are needed and cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            found = await self._key_for(header)
            if isinstance(found, Err):
                return found
            key, algorithm = found.value
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud"]},
            )
            user_id = UUID(claims["sub"])
        except (jwt.PyJWTError, ValueError) as error:
            return Err(ErrorCode.UNAUTHORIZED, cause=type(error).__name__)
        if claims.get("role") != "authenticated":
            return Err(ErrorCode.UNAUTHORIZED, cause="not a user's token")
        return Ok(User(user_id, SecretStr(token), _organization_of(claims)))

    async def _key_for(self, header: dict[str, Any]) -> Result[tuple[Any, str]]:
        """Choose the key by algorithm, never the algorithm by key: a public key must not verify an HMAC."""
        algorithm, key_id = header.get("alg"), header.get("kid")
        secret = self._settings.jwt_secret
        if algorithm == "HS256" and secret is not None:
            return Ok((secret.get_secret_value(), "HS256"))
        if algorithm in ALGORITHMS and self._keys is not None and isinstance(key_id, str):
            found = await self._keys.find(key_id)
            if isinstance(found, Err):
                return found
            if found.value is not None and found.value.algorithm_name == algorithm:
                return Ok((found.value.key, algorithm))
        return Err(ErrorCode.UNAUTHORIZED, cause="no key for this token")


def _says_service_role(token: str) -> bool:
    """Whether a token, true or not, says that it is a legacy service_role key."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return False
    return claims.get("role") == "service_role"


def _organization_of(claims: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(claims["app_metadata"]["org_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


async def require_role(user: User, roles: Collection[Role], database: Database) -> Err | None:
    """Let only active members with one of `roles` pass, by their role of this moment, not by their token.

    Errors: forbidden, also for a member of another organisation than the token's; or what kept the database
    from telling.
    """
    found = await database.get_role(user)
    if isinstance(found, Err):
        return found
    return None if found.value in roles else Err(ErrorCode.FORBIDDEN)


class Places:
    """A few for each person and organisation, so that nobody takes all of the process's connections.

    Webhooks and services need none.
    """

    def __init__(self) -> None:
        # Kept by who waits, works or rests, and gone with the last of them.
        self._of: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    async def serve(self, caller: Caller, work: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        """Do the work once there is a place for it; the place of a refusal for now rests for a moment.

        Who does not wait when told to is thus made to, at the cost of a timer.
        Errors: rate_limited, when there was no place in time.
        """
        if not isinstance(caller, User):
            return await work()
        rest = 0.0
        async with AsyncExitStack() as taken:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    own = self._places(caller.id, AT_ONCE)
                    await own.acquire()
                    taken.callback(lambda: asyncio.get_running_loop().call_later(rest, own.release))
                    if caller.organization_id:
                        shared = self._places(caller.organization_id, AT_ONCE_OF_AN_ORGANIZATION)
                        await taken.enter_async_context(shared)
            except TimeoutError:
                return BUSY
            result = await work()
            if isinstance(result, Err) and result.code is ErrorCode.RATE_LIMITED:
                rest = REST_SECONDS
            return result

    def _places(self, whose: UUID, count: int) -> asyncio.Semaphore:
        return self._of.setdefault(whose, asyncio.Semaphore(count))
