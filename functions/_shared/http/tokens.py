"""A user's token (JWT): its parts, and what it must claim. Nothing here trusts it yet but `verify_hs256`.

PyJWT does the same, but loads 60 modules of cryptography for it, which HMAC does not need: a third of a cold
start. It still reads public keys and verifies with them (`keys.py`), and tests compare the two.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any

AUDIENCE = "authenticated"
PUBLIC_KEY_ALGORITHMS = ("ES256", "RS256")
LEEWAY_SECONDS = 10  # clocks of two machines differ
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")


class TokenError(Exception):
    """It is no token, or not one for us; says why, for the log."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token consists of, right or wrong.

    signed : the bytes that the signature is over.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read(text: str) -> Token:
    """Take a token apart.

    Raises TokenError for what is none.
    """
    try:
        header, claims, signature = text.encode("ascii").split(b".")
        token = Token(_object(header), _object(claims), header + b"." + claims, _decode(signature))
    except (ValueError, RecursionError):
        raise TokenError("malformed") from None
    if "crit" in token.header:
        raise TokenError("unknown critical header")  # what must be understood, and is not
    return token


def verify_hs256(token: Token, secret: str) -> None:
    """Raise TokenError unless it was signed with the secret."""
    expected = hmac.digest(secret.encode(), token.signed, hashlib.sha256)
    if not hmac.compare_digest(expected, token.signature):
        raise TokenError("signature")


def check_claims(claims: dict[str, Any]) -> str:
    """Give the subject of a token that is valid now and for us. Raises TokenError with what is wrong."""
    now = time.time()
    if not _number(claims, "exp") > now - LEEWAY_SECONDS:
        raise TokenError("expired")
    for name in ("iat", "nbf"):
        if name in claims and not _number(claims, name) <= now + LEEWAY_SECONDS:
            raise TokenError(f"{name} in the future")
    audience = claims.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise TokenError("audience")
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise TokenError("subject")
    return subject


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(name)
    return value


def _object(part: bytes) -> dict[str, Any]:
    value = json.loads(_decode(part))
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - caught with the other ways of being malformed
    return value


def _decode(part: bytes) -> bytes:
    """Read base64url without padding, and nothing else: b64decode alone would skip strange characters."""
    if not _BASE64URL.fullmatch(part):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
