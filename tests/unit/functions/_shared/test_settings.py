from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from _shared.settings import SettingsError, read_settings
from tests.support.credentials import ENVIRONMENT, SECRETS, make_settings

REQUIRED = ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "FERSK_WEBHOOK_SECRET"]
OPTIONAL = ["SUPABASE_JWKS_URL", "FERSK_UPSTREAM_TIMEOUT_SECONDS", "FERSK_LOG_LEVEL"]


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None]) -> None:
    for name in [*ENVIRONMENT, *OPTIONAL]:
        monkeypatch.delenv(name, raising=False)
    for name, value in (ENVIRONMENT | environment).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def test_a_complete_environment_is_read_with_the_documented_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {})
    settings = read_settings()
    assert str(settings.supabase_url) == "http://supabase.test/"
    assert settings.upstream_timeout_seconds == 8
    assert settings.log_level == "INFO"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    set_environment(monkeypatch, {name: value})
    with pytest.raises(SettingsError, match=rf"\.env\.example\): {name}: missing$"):
        read_settings()


def test_all_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, dict.fromkeys(ENVIRONMENT))
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert [name for name in REQUIRED if f"{name}: missing" not in str(refused.value)] == []


def test_without_any_way_to_verify_tokens_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {"SUPABASE_JWT_SECRET": None})
    with pytest.raises(SettingsError, match="SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL must be set"):
        read_settings()


def test_public_keys_alone_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(
        monkeypatch, {"SUPABASE_JWT_SECRET": None, "SUPABASE_JWKS_URL": "https://auth.test/jwks.json"}
    )
    assert read_settings().jwt_secret is None


@pytest.mark.parametrize(
    ("secret", "keys", "verifiers"),
    [
        pytest.param(True, False, ["HS256 with SUPABASE_JWT_SECRET"], id="secret"),
        pytest.param(False, True, ["ES256 and RS256 with SUPABASE_JWKS_URL"], id="public-keys"),
        pytest.param(
            True,
            True,
            ["HS256 with SUPABASE_JWT_SECRET", "ES256 and RS256 with SUPABASE_JWKS_URL"],
            id="both",
        ),
    ],
)
def test_the_verifiers_in_force_are_said_in_words(*, secret: bool, keys: bool, verifiers: list[str]) -> None:
    settings = make_settings(
        SUPABASE_JWT_SECRET=ENVIRONMENT["SUPABASE_JWT_SECRET"] if secret else None,
        SUPABASE_JWKS_URL="https://auth.test/jwks.json" if keys else None,
    )
    assert settings.verifiers == verifiers
    assert ENVIRONMENT["SUPABASE_JWT_SECRET"] not in str(settings.verifiers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SUPABASE_URL", "not-an-address-XYZZY", id="not-a-url"),
        pytest.param("SUPABASE_JWT_SECRET", "short-XYZZY", id="guessable-jwt-secret"),
        pytest.param("SUPABASE_SECRET_KEY", "XYZZY", id="guessable-secret-key"),
        pytest.param("FERSK_WEBHOOK_SECRET", "whsec_XYZZY", id="not-base64"),
        pytest.param("FERSK_WEBHOOK_SECRET", "XYZZY" * 20, id="not-a-webhook-secret"),
        pytest.param(
            "FERSK_WEBHOOK_SECRET", "whsec_" + base64.b64encode(b"XYZZY" * 4).decode(), id="too-short"
        ),
        pytest.param("FERSK_UPSTREAM_TIMEOUT_SECONDS", "0", id="no-time-at-all"),
        pytest.param("FERSK_UPSTREAM_TIMEOUT_SECONDS", "61", id="longer-than-callers-wait"),
        pytest.param("FERSK_LOG_LEVEL", "CHATTY-XYZZY", id="unknown-level"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    set_environment(monkeypatch, {name: value})
    with pytest.raises(SettingsError, match=rf"{name}: ") as refused:
        read_settings()
    shown = f"{refused.value!r} {refused.value.__cause__!r} {refused.value.__context__!r}"
    assert value not in shown or value in "061"
    assert "XYZZY" not in shown
    assert [secret for secret in SECRETS if secret in shown] == []


def test_settings_do_not_show_secrets_and_cannot_be_changed() -> None:
    settings = make_settings()
    assert [secret for secret in SECRETS if secret in f"{settings!r} {settings}"] == []
    with pytest.raises(ValidationError, match="frozen"):
        settings.log_level = "DEBUG"  # type: ignore[misc]
