"""make onboard asks an Auth server for sign-ins as GoTrue documents it: https://supabase.com/docs/reference/self-hosting-auth."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from local.errors import StackError
from tools.onboard.sign_ins import ByAuth
from tools.onboard.state import StoredPerson

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTH = "https://project.example/auth/v1"
OWN, ANNE, BO = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
METADATA = {"app_metadata": {"org_id": OWN}}


def known(id_: str) -> StoredPerson:
    return StoredPerson(uuid.UUID(id_), None, is_invited=False, role=None, name=None, is_active=None,
                        chapters=(), has_primary=False)  # fmt: skip


@pytest.fixture
def auth() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=AUTH, assert_all_called=False) as router:
        yield router


def make(people: list[tuple[str, StoredPerson | None]], *, is_mailed: bool = True) -> list[int]:
    done: list[int] = []
    connection: Any = None  # it needs none
    ByAuth("https://project.example/", "sb_secret_x", is_mailed=is_mailed).make(
        connection, OWN, people, done.append
    )
    return done


def asked(router: respx.MockRouter) -> list[tuple[str, str, object]]:
    return [
        (
            call.request.method,
            call.request.url.path.removeprefix("/auth/v1"),
            json.loads(call.request.content),
        )
        for call in router.calls
    ]


def test_everybody_is_invited_and_told_the_organisation(auth: respx.MockRouter) -> None:
    auth.post("/invite").side_effect = [httpx.Response(200, json={"id": id_}) for id_ in (ANNE, BO)]
    auth.put(path__startswith="/admin/users/").respond(json={})
    assert make([("anne@x.example", None), ("bo@x.example", None)]) == [1, 2]
    assert asked(auth) == [
        ("POST", "/invite", {"email": "anne@x.example"}),
        ("PUT", f"/admin/users/{ANNE}", METADATA),
        ("POST", "/invite", {"email": "bo@x.example"}),
        ("PUT", f"/admin/users/{BO}", METADATA),
    ]
    assert {call.request.headers["apikey"] for call in auth.calls} == {"sb_secret_x"}


def test_whose_invitation_was_broken_off_is_told_the_organisation_alone(auth: respx.MockRouter) -> None:
    auth.put(f"/admin/users/{ANNE}").respond(json={})
    assert make([("anne@x.example", known(ANNE))]) == [1]
    assert asked(auth) == [("PUT", f"/admin/users/{ANNE}", METADATA)]


def test_without_mail_sign_ins_are_made_confirmed(auth: respx.MockRouter) -> None:
    auth.post("/admin/users").respond(json={"id": ANNE})
    make([("anne@x.example", None)], is_mailed=False)
    assert asked(auth) == [
        ("POST", "/admin/users", {"email": "anne@x.example", "email_confirm": True, **METADATA})
    ]


def test_a_short_wait_is_waited_for(auth: respx.MockRouter) -> None:
    auth.post("/invite").side_effect = [
        httpx.Response(429, headers={"retry-after": "0"}),
        httpx.Response(200, json={"id": ANNE}),
    ]
    auth.put(f"/admin/users/{ANNE}").respond(json={})
    assert make([("anne@x.example", None)]) == [1]


def test_a_limit_of_mails_says_how_many_were_invited_and_what_to_do(auth: respx.MockRouter) -> None:
    auth.post("/invite").side_effect = [
        httpx.Response(200, json={"id": ANNE}),
        httpx.Response(429, headers={"retry-after": "3600"}),
    ]
    auth.put(f"/admin/users/{ANNE}").respond(json={})
    with pytest.raises(StackError, match=r"1 of 2 were invited(.|\n)*MAIL=no(.|\n)*run it again"):
        make([("anne@x.example", None), ("bo@x.example", None)])


def test_a_refusal_is_told_by_its_code_and_not_by_whom_it_was_about(auth: respx.MockRouter) -> None:
    auth.post("/invite").respond(403, json={"error_code": "not_admin", "msg": "anne@x.example"})
    with pytest.raises(StackError) as refused:
        make([("anne@x.example", None)])
    assert "HTTP 403 not_admin to POST /invite" in str(refused.value)
    assert "anne" not in str(refused.value)
