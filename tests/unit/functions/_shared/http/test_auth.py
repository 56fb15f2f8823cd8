from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from _shared.callers import WEBHOOK_HEADERS, Anonymous, Caller, Service, User, Webhook
from _shared.http.auth import Authenticator, require_role
from _shared.network import Network
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import (
    JWT_SECRET,
    PUBLISHABLE_KEY,
    SECRET_KEY,
    bearer,
    make_settings,
    make_token,
    make_user,
    sign,
)
from tests.support.examples import make_profile
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EVERY_KIND: set[type[Caller]] = {Webhook, Service, User}
AUTHENTICATOR = Authenticator(make_settings(), Network(seconds=8))


async def who(
    headers: Mapping[str, str], accepted: set[type[Caller]] | None = None, body: bytes = b""
) -> Any:
    result = await AUTHENTICATOR.authenticate(headers, body, accepted or EVERY_KIND)
    return type(result.value) if isinstance(result, Ok) else result.code


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        pytest.param({"apikey": SECRET_KEY}, Service, id="secret-key-in-apikey"),
        pytest.param(bearer(SECRET_KEY), Service, id="secret-key-as-bearer"),
        pytest.param(
            {"apikey": SECRET_KEY} | dict(bearer(SECRET_KEY)), Service, id="as-supabase-py-sends-it"
        ),
        pytest.param({"authorization": f"bearer {SECRET_KEY}"}, Service, id="scheme-in-lower-case"),
        pytest.param(bearer(make_token()), User, id="user"),
        pytest.param({"apikey": PUBLISHABLE_KEY} | dict(bearer(make_token())), User, id="as-an-app-sends-it"),
        pytest.param({"apikey": SECRET_KEY} | dict(bearer(make_token())), User, id="user-outranks-key"),
    ],
)
async def test_callers_are_told_apart(headers: Mapping[str, str], kind: type[Caller]) -> None:
    assert await who(headers) is kind


async def test_a_signed_call_is_a_webhook() -> None:
    assert await who(sign(b"")) is Webhook


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"apikey": PUBLISHABLE_KEY}, id="publishable-key"),
        pytest.param(dict(bearer(PUBLISHABLE_KEY)), id="signed-out-app"),
        pytest.param({"apikey": SECRET_KEY + "x"}, id="almost-the-secret-key"),
        pytest.param({"apikey": SECRET_KEY[:-1]}, id="most-of-the-secret-key"),
        pytest.param({"apikey": "ø"}, id="not-ascii"),
        pytest.param({"apikey": SECRET_KEY} | dict(bearer("nonsense")), id="bad-token-beside-a-good-key"),
        pytest.param({"authorization": f"Basic {SECRET_KEY}"}, id="another-scheme"),
        pytest.param({"authorization": "Bearer"}, id="no-token"),
        *(
            pytest.param({"apikey": SECRET_KEY, header: "1"}, id=f"{header}-alone-beside-a-good-key")
            for header in WEBHOOK_HEADERS
        ),
    ],
)
async def test_everyone_else_is_unauthorized(headers: Mapping[str, str]) -> None:
    assert await who(headers) is ErrorCode.UNAUTHORIZED


LEGACY: dict[str, Any] = {"iss": "supabase", "ref": "abcdefghijklmnopqrst", "sub": None, "aud": None}


@pytest.mark.parametrize(
    "secret", [JWT_SECRET, "somebody-elses-" + "0123456789" * 5], ids=["true", "made-up"]
)
@pytest.mark.parametrize("header", ["authorization", "apikey"])
async def test_a_legacy_service_role_key_is_told_what_to_use_instead(secret: str, header: str) -> None:
    """Also where the project's secret is still trusted: whoever holds that key holds it for good."""
    key = make_token(secret, role="service_role", **LEGACY)
    headers = {header: f"Bearer {key}" if header == "authorization" else key}
    assert await AUTHENTICATOR.authenticate(headers, b"", EVERY_KIND) == Err(
        ErrorCode.UNAUTHORIZED,
        "Legacy service_role keys are not accepted; call with the project's secret key (sb_secret_…).",
        cause="legacy service_role key",
    )
    # the legacy anon key is what a signed-out app sends: it needs a user, not another key
    anon = await AUTHENTICATOR.authenticate(bearer(make_token(role="anon", **LEGACY)), b"", EVERY_KIND)
    assert isinstance(anon, Err)
    assert (anon.code, anon.message) == (ErrorCode.UNAUTHORIZED, None)
    assert await who({"apikey": SECRET_KEY}) is Service


# Made when it is needed: a signature is good for five minutes only.
CREDENTIALS: dict[type[Caller], Callable[[], Mapping[str, str]]] = {
    Webhook: lambda: sign(b""),
    Service: lambda: {"apikey": SECRET_KEY},
    User: lambda: bearer(make_token()),
}


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_a_function_refuses_the_kinds_it_is_not_for(kind: type[Caller]) -> None:
    headers = CREDENTIALS[kind]()
    assert await who(headers, EVERY_KIND - {kind}) is ErrorCode.FORBIDDEN
    assert await who(headers, {kind}) is kind


async def test_where_anyone_may_call_credentials_are_not_looked_at() -> None:
    assert await who(bearer("nonsense"), {Anonymous}) is Anonymous
    assert await who({"webhook-id": "half"}, {Anonymous}) is Anonymous


@pytest.mark.parametrize("role", ["coordinator", "org_admin"])
async def test_an_active_user_in_one_of_the_roles_passes(role: str) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(role=role)})
    assert await require_role(user, {"coordinator", "org_admin"}, database) is None


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"role": "peer_mentor"}, id="other-role"),
        pytest.param({"is_active": False}, id="inactive"),
    ],
)
async def test_other_users_are_forbidden(overrides: dict[str, Any]) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(**overrides)})
    assert await require_role(user, {"coordinator", "org_admin"}, database) == Err(ErrorCode.FORBIDDEN)


async def test_a_user_without_a_profile_is_forbidden() -> None:
    database = FakeDatabase(profiles={uuid4(): make_profile()})
    assert await require_role(make_user(), {"coordinator"}, database) == Err(ErrorCode.FORBIDDEN)


async def test_a_database_that_is_away_is_not_a_refusal() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await require_role(make_user(), {"coordinator"}, FakeDatabase(failure=away)) == away
