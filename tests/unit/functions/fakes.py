"""A database in memory, credentials of every kind, and an endpoint's app without a server."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import jwt
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from _shared.callers import User
from _shared.result import Ok, Result
from _shared.rows import DatabaseHealth, Profile, RefreshReport
from _shared.settings import Settings
from tests.unit.functions.hierarchy_fakes import FakeHierarchy
from tests.unit.functions.metrics_fakes import FakeMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping

# Made-up values, recognisable in any output they leak into.
JWT_SECRET = "unit-jwt-secret-" + "0123456789" * 5
SECRET_KEY = "sb_secret_unit_0123456789"
PUBLISHABLE_KEY = "sb_publishable_unit_0123456789"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"unit-webhook-secret-0123456789").decode()
SECRETS = (JWT_SECRET, SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET.removeprefix("whsec_"))
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

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
        "sub": str(uuid4()),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 3600,
    } | claims
    headers = {"kid": claims.pop("kid")} if "kid" in claims else None
    payload.pop("kid", None)
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, key or secret, algorithm=alg, headers=headers)


def make_user(user_id: UUID | None = None) -> User:
    return User(user_id or uuid4(), SecretStr(make_token()))


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


def make_report(**overrides: Any) -> RefreshReport:
    return RefreshReport.model_validate(
        {"outcome": "refreshed", "refreshed_at": NOW, "applied_changes": 3, "duration_ms": 41} | overrides
    )


def make_health(**overrides: Any) -> DatabaseHealth:
    return DatabaseHealth.model_validate(
        {
            "last_refreshed_at": NOW,
            "last_sweep_at": NOW,
            "pending_changes": 0,
            "oldest_pending_seconds": None,
            "differences": 0,
            "last_difference_at": None,
        }
        | overrides
    )


def make_profile(**overrides: Any) -> Profile:
    return Profile.model_validate(
        {"organization_id": uuid4(), "role": "coordinator", "is_active": True} | overrides
    )


@dataclass
class FakeDatabase(FakeMetrics, FakeHierarchy):
    """`Database` in memory, see `FakeHierarchy` and `FakeMetrics` for what can be set and seen."""

    report: RefreshReport = field(default_factory=make_report)
    health: DatabaseHealth = field(default_factory=make_health)
    profiles: dict[UUID, Profile] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        self.calls.append("refresh_stats_views")
        return self.failure or Ok(self.report)

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        self.calls.append("claim_webhook")
        if self.failure:
            return self.failure
        is_new = webhook_id not in self.seen
        self.seen.add(webhook_id)
        return Ok(is_new)

    async def get_health(self) -> Result[DatabaseHealth]:
        self.calls.append("get_health")
        return self.failure or Ok(self.health)

    async def get_profile(self, user: User) -> Result[Profile | None]:
        self.calls.append("get_profile")
        return self.failure or Ok(self.profiles.get(user.id))
