"""Settings from the environment, read once at start; `.env.example` lists them with a comment each."""

from __future__ import annotations

import base64
import os
from functools import cache
from typing import TYPE_CHECKING, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_WEBHOOK_SECRET_BYTES = 24  # what Standard Webhooks asks for


class SettingsError(Exception):
    """The environment is incomplete or wrong; names the variables, never their values."""


class Settings(BaseModel):
    """What the functions need to know about where they run. Secrets have no defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    supabase_url: HttpUrl = Field(validation_alias="SUPABASE_URL")
    publishable_key: SecretStr = Field(validation_alias="SUPABASE_PUBLISHABLE_KEY", min_length=16)
    secret_key: SecretStr = Field(validation_alias="SUPABASE_SECRET_KEY", min_length=16)
    previous_secret_key: SecretStr | None = Field(
        None, validation_alias="FERSK_PREVIOUS_SECRET_KEY", min_length=16
    )
    jwt_secret: SecretStr | None = Field(None, validation_alias="SUPABASE_JWT_SECRET", min_length=32)
    jwks_url: HttpUrl | None = Field(None, validation_alias="SUPABASE_JWKS_URL")
    webhook_secret: SecretStr = Field(validation_alias="FERSK_WEBHOOK_SECRET")
    upstream_timeout_seconds: float = Field(8, validation_alias="FERSK_UPSTREAM_TIMEOUT_SECONDS", gt=0, le=60)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="FERSK_LOG_LEVEL"
    )

    @field_validator("webhook_secret")
    @classmethod
    def _is_standard_webhooks_secret(cls, secret: SecretStr) -> SecretStr:
        prefix, _, encoded = secret.get_secret_value().partition("_")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if prefix != "whsec" or len(key) < MIN_WEBHOOK_SECRET_BYTES:
            raise ValueError(f"must be whsec_ and the base64 of at least {MIN_WEBHOOK_SECRET_BYTES} bytes")
        return secret

    @property
    def service_keys(self) -> list[str]:
        """The keys by which a service is known: two while the secret key is rotated."""
        keys = (self.secret_key, self.previous_secret_key)
        return [key.get_secret_value() for key in keys if key]

    @property
    def verifiers(self) -> list[str]:
        """What user tokens are verified with, in words for the log."""
        return [
            *(["HS256 with SUPABASE_JWT_SECRET"] if self.jwt_secret else []),
            *(["ES256 and RS256 with SUPABASE_JWKS_URL"] if self.jwks_url else []),
        ]

    @model_validator(mode="after")
    def _can_verify_user_tokens(self) -> Self:
        if self.jwt_secret is None and self.jwks_url is None:
            raise ValueError("SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL must be set")
        return self


def read_settings(environment: Mapping[str, str | None] = os.environ) -> Settings:
    """Read an environment; what is empty is not set.

    Raises SettingsError, which names every variable that is missing or wrong.
    """
    try:
        return Settings.model_validate({name: value for name, value in environment.items() if value})
    except ValidationError as error:
        # Pydantic's own text quotes the values, which may be secrets: hence our own, and no cause.
        problems = [
            ": ".join([*(str(part) for part in problem["loc"]), _reason(problem["type"], problem["msg"])])
            for problem in error.errors(include_input=False, include_url=False)
        ]
    raise SettingsError(f"wrong environment (see .env.example): {'; '.join(problems)}")


def _reason(kind: str, message: str) -> str:
    return "missing" if kind == "missing" else message.removeprefix("Value error, ")


@cache
def settings() -> Settings:
    """Give the process's settings; the first call reads them."""
    return read_settings()
