"""Sign-ins made with the secret key, by the client library: invited, told their organisation, let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from supabase import Client, create_client
from supabase.lib.client_options import SyncClientOptions
from supabase_auth.errors import AuthError

from tests.support.people import sign_in, try_to_sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

EMAIL = "invited@nowhere.example"
PASSWORD = "long enough"


@pytest.fixture
def service(stack: Stack) -> Iterator[Client]:
    """Give a client with the secret key; whom it made is gone afterwards."""
    with httpx.Client() as pool:
        options = SyncClientOptions(httpx_client=pool, auto_refresh_token=False)
        yield create_client(stack.api_url, stack.secret_key, options)
    with psycopg.connect(stack.admin_db_url, autocommit=True) as owner:
        owner.execute("delete from auth.users where email = %s", [EMAIL])


def code(refused: pytest.ExceptionInfo[AuthError]) -> tuple[int, Any]:
    return getattr(refused.value, "status", 0), refused.value.code


def test_somebody_is_invited_and_gets_in_with_a_password_that_is_set(stack: Stack, service: Client) -> None:
    admin = service.auth.admin
    made = admin.invite_user_by_email(EMAIL.upper()).user
    assert (made.email, made.email_confirmed_at) == (EMAIL, None)
    assert made.invited_at is not None
    assert made.app_metadata == {"provider": "email", "providers": ["email"]}
    told = admin.update_user_by_id(made.id, {"app_metadata": {"org_id": "x"}, "password": PASSWORD})
    assert told.user.app_metadata == {"provider": "email", "providers": ["email"], "org_id": "x"}
    refused = try_to_sign_in(stack, EMAIL, PASSWORD)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "email_not_confirmed")
    admin.update_user_by_id(made.id, {"email_confirm": True})
    assert try_to_sign_in(stack, EMAIL, PASSWORD).status_code == 200
    assert admin.get_user_by_id(made.id).user.app_metadata == told.user.app_metadata


def test_a_sign_in_is_made_whole(stack: Stack, service: Client) -> None:
    given: Any = {
        "email": EMAIL,
        "password": PASSWORD,
        "email_confirm": True,
        "app_metadata": {"org_id": "x"},
        "user_metadata": {"lang": "nb"},
    }
    made = service.auth.admin.create_user(given).user
    assert made.email_confirmed_at is not None
    assert (made.app_metadata["org_id"], made.user_metadata) == ("x", {"lang": "nb"})
    answer = try_to_sign_in(stack, EMAIL, PASSWORD)
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, made.id)


def test_an_address_has_one_sign_in(service: Client) -> None:
    service.auth.admin.invite_user_by_email(EMAIL)
    for make in (
        service.auth.admin.invite_user_by_email,
        lambda email: service.auth.admin.create_user({"email": email}),
    ):
        with pytest.raises(AuthError) as refused:
            make(EMAIL)
        assert code(refused) == (422, "email_exists")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"email": "nobody"}, (400, "validation_failed")),
        ({"email": EMAIL, "password": "too short"}, (422, "weak_password")),
        ({"email": EMAIL, "app_metadata": ["x"]}, (400, "validation_failed")),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(
    stack: Stack, service: Client, given: Any, expected: tuple[int, str]
) -> None:
    with pytest.raises(AuthError) as refused:
        service.auth.admin.create_user(given)
    assert code(refused) == expected
    with psycopg.connect(stack.admin_db_url) as owner:
        assert owner.execute("select from auth.users where email = %s", [EMAIL]).fetchall() == []


def test_nobody_else_makes_or_reads_sign_ins(stack: Stack, service: Client) -> None:
    made = service.auth.admin.invite_user_by_email(EMAIL).user
    headers = (
        {"apikey": stack.publishable_key},
        sign_in(stack, "astrid@nhf.example").headers,
        {"apikey": stack.publishable_key, "authorization": "Bearer x.y.z"},
    )
    calls: tuple[tuple[str, str, Any], ...] = (
        ("POST", "/invite", {"email": "more@nowhere.example"}),
        ("POST", "/admin/users", {"email": "more@nowhere.example"}),
        ("PUT", f"/admin/users/{made.id}", {"password": PASSWORD}),
        ("GET", f"/admin/users/{made.id}", None),
    )
    for caller, expected in zip(headers, ("not_admin", "not_admin", "bad_jwt"), strict=True):
        for method, path, body in calls:
            answer = httpx.request(
                method, f"{stack.auth_url}{path}", json=body, headers=caller, trust_env=False
            )
            assert (answer.status_code, answer.json()["error_code"]) == (403, expected), (path, caller)
    assert try_to_sign_in(stack, EMAIL, PASSWORD).status_code == 400


def test_who_is_not_there_is_not_found(service: Client) -> None:
    with pytest.raises(AuthError) as refused:
        service.auth.admin.update_user_by_id("00000000-0000-0000-0000-000000000009", {"password": PASSWORD})
    assert code(refused) == (404, "user_not_found")
