"""Who is calling, and whether they are someone who may."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr

from _shared.callers import WEBHOOK_HEADERS, Anonymous, Caller, Service, User
from _shared.http import tokens
from _shared.http.tokens import PUBLIC_KEY_ALGORITHMS, Token, TokenError
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from _shared.database import Database
    from _shared.database.access import Role
    from _shared.http.keys import KeySet
    from _shared.network import Network
    from _shared.settings import Settings

LEGACY_KEY = "Legacy service_role keys are not accepted; call with the project's secret key (sb_secret_…)."


class Authenticator:
    """Tells callers apart: webhooks by their signature, services by the secret key, users by their token.

    Tokens are verified here, so that a bad one costs no call to the auth server: HS256 with the project's
    secret, ES256 or RS256 with a key of its JWKS, nothing else.
    """

    def __init__(self, settings: Settings, network: Network) -> None:
        self._settings = settings
        self._network = network
        self._keys: KeySet | None = None

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
        if any(name in headers for name in WEBHOOK_HEADERS):
            from _shared.http import webhooks  # noqa: PLC0415 - most functions never meet one

            return webhooks.verify(self._settings.webhook_secret, headers, body)
        # A user's token outranks the key that clients send along with it, as at Supabase's own gateway.
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        credential = bearer.strip() if scheme.lower() == "bearer" else headers.get("apikey", "")
        if not credential:
            return Err(ErrorCode.UNAUTHORIZED, cause="no credentials")
        secret_key = self._settings.secret_key.get_secret_value()
        if hmac.compare_digest(credential.encode(), secret_key.encode()):
            return Ok(Service())
        return await self.verify_token(credential)

    async def verify_token(self, token: str) -> Result[User]:
        """Check signature, expiry, audience, role and subject.

        Errors: unauthorized, for every way of being wrong alike, but for what says, true or not, that it is a
        legacy service_role key; upstream_unavailable, when the public keys are needed and cannot be fetched.
        """
        try:
            read = tokens.read(token)
            if read.claims.get("role") == "service_role":
                return Err(ErrorCode.UNAUTHORIZED, LEGACY_KEY, cause="legacy service_role key")
            refused = await self._check_signature(read)
            if refused:
                return refused
            user_id = UUID(tokens.check_claims(read.claims))
        except (TokenError, ValueError) as error:
            cause = str(error) if isinstance(error, TokenError) else "subject"
            return Err(ErrorCode.UNAUTHORIZED, cause=f"token: {cause}")
        if read.claims.get("role") != "authenticated":
            return Err(ErrorCode.UNAUTHORIZED, cause="not a user's token")
        return Ok(User(user_id, SecretStr(token)))

    async def _check_signature(self, token: Token) -> Err | None:
        """Choose the key by algorithm, never the algorithm by key: a public key must not verify an HMAC.

        Raises TokenError where it was not signed with that key.
        """
        algorithm, key_id = token.header.get("alg"), token.header.get("kid")
        secret = self._settings.jwt_secret
        if algorithm == "HS256" and secret is not None:
            tokens.verify_hs256(token, secret.get_secret_value())
            return None
        if algorithm in PUBLIC_KEY_ALGORITHMS and isinstance(key_id, str) and (keys := self._public_keys()):
            return await keys.verify(token, algorithm, key_id)
        return Err(ErrorCode.UNAUTHORIZED, cause="no key for this token")

    def _public_keys(self) -> KeySet | None:
        if self._keys is None and self._settings.jwks_url is not None:
            from _shared.http.keys import KeySet  # noqa: PLC0415 - cryptography is heavy

            self._keys = KeySet(str(self._settings.jwks_url), self._network)
        return self._keys


async def require_role(user: User, roles: Collection[Role], database: Database) -> Err | None:
    """Let only active members with one of `roles` pass, by their role of this moment, not by their token.

    Errors: forbidden, also for a member of another organisation than the token's; or what kept the database
    from telling.
    """
    found = await database.get_role(user)
    if isinstance(found, Err):
        return found
    return None if found.value in roles else Err(ErrorCode.FORBIDDEN)
