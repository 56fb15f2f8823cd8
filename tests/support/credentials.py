"""Settings, keys, tokens and signatures for functions that are served without a server."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import jwt
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from _shared.callers import User
from _shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# Made-up values, recognisable in any output they leak into.
JWT_SECRET = "unit-jwt-secret-" + "0123456789" * 5
SECRET_KEY = "sb_secret_unit_0123456789"
PUBLISHABLE_KEY = "sb_publishable_unit_0123456789"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"unit-webhook-secret-0123456789").decode()
SECRETS = (JWT_SECRET, SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET.removeprefix("whsec_"))
KARI = UUID("aa11aa11-9842-4aa9-9c60-4dbccf22a428")
"""Who calls where nobody else is named: a coordinator, in the fake database."""

ENVIRONMENT = {
    "SUPABASE_URL": "http://supabase.test",
    "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    "SUPABASE_SECRET_KEY": SECRET_KEY,
    "SUPABASE_JWT_SECRET": JWT_SECRET,
    "FERSK_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


def make_settings(**overrides: Any) -> Settings:
    return Settings.model_validate(ENVIRONMENT | overrides)


def make_token(secret: str = JWT_SECRET, *, alg: str = "HS256", key: Any = None, **claims: Any) -> str:
    """A user's token; a claim given as None is left out."""
    now = int(time.time())
    payload = {
        "sub": str(KARI),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 3600,
    } | claims
    headers = {"kid": claims.pop("kid")} if "kid" in claims else None
    payload.pop("kid", None)
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, key or secret, algorithm=alg, headers=headers)


def make_user(user_id: UUID = KARI, organization_id: UUID | None = None) -> User:
    return User(user_id, SecretStr(make_token(sub=str(user_id))), organization_id)


def sign(
    body: bytes,
    *,
    secret: str = WEBHOOK_SECRET,
    webhook_id: str | None = None,
    age: timedelta = timedelta(),
) -> dict[str, str]:
    """Webhook headers over `body`, as made `age` ago."""
    webhook_id = webhook_id or f"msg_{uuid4().hex}"
    made = datetime.now(UTC) - age
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(made.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, made, body.decode()),
        "content-type": "application/json",
    }


def bearer(token: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {token}"}
