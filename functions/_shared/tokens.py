"""Verifies user tokens locally, so that a bad one costs no call to the auth server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import jwt
from pydantic import SecretStr

from _shared.callers import User
from _shared.keys import ALGORITHMS, KeySet
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    import httpx

    from _shared.settings import Settings

AUDIENCE = "authenticated"
LEEWAY_SECONDS = 10  # clocks of two machines differ


def says_service_role(token: str) -> bool:
    """Whether a token, true or not, says that it is a legacy service_role key."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return False
    return claims.get("role") == "service_role"


class TokenVerifier:
    """Accepts HS256 with the project's secret, and ES256 or RS256 with a key of its JWKS; nothing else."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._secret = settings.jwt_secret
        self._keys = KeySet(str(settings.jwks_url), http) if settings.jwks_url else None

    async def verify(self, token: str) -> Result[User]:
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
        return Ok(User(user_id, SecretStr(token)))

    async def _key_for(self, header: dict[str, Any]) -> Result[tuple[Any, str]]:
        """Choose the key by algorithm, never the algorithm by key: a public key must not verify an HMAC."""
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._secret is not None:
            return Ok((self._secret.get_secret_value(), "HS256"))
        if algorithm in ALGORITHMS and self._keys is not None and isinstance(key_id, str):
            found = await self._keys.find(key_id)
            if isinstance(found, Err):
                return found
            if found.value is not None and found.value.algorithm_name == algorithm:
                return Ok((found.value.key, algorithm))
        return Err(ErrorCode.UNAUTHORIZED, cause="no key for this token")
