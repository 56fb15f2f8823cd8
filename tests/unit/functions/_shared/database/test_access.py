from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import PUBLISHABLE_KEY, make_user

if TYPE_CHECKING:
    import respx

    from _shared.database import Database

REST = "http://supabase.test/rest/v1"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        pytest.param(True, Ok(value=True), id="new"),
        pytest.param(False, Ok(value=False), id="seen"),
        pytest.param(None, Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="null"),
        pytest.param("true", Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="text"),
        pytest.param([True], Err(ErrorCode.INTERNAL, cause="unexpected claim"), id="list"),
    ],
)
async def test_a_claim_is_true_or_false_or_an_error(
    database: Database, rest: respx.Router, answer: Any, result: Any
) -> None:
    route = rest.post(f"{REST}/rpc/claim_webhook").respond(json=answer)
    assert await database.claim_webhook("msg_1") == result
    assert json.loads(route.calls.last.request.content) == {"p_webhook_id": "msg_1"}


@pytest.mark.parametrize("role", ["peer_mentor", "coordinator", "org_admin", None])
async def test_a_role_is_asked_with_the_users_own_token(
    database: Database, rest: respx.Router, role: str | None
) -> None:
    user = make_user()
    route = rest.post(f"{REST}/rpc/get_role").respond(content=json.dumps(role))
    assert await database.get_role(user) == Ok(role)
    request = route.calls.last.request
    assert request.headers["apikey"] == PUBLISHABLE_KEY
    assert request.headers["authorization"] == f"Bearer {user.token.get_secret_value()}"


async def test_users_do_not_get_each_others_tokens(database: Database, rest: respx.Router) -> None:
    route = rest.post(f"{REST}/rpc/get_role").respond(content=b"null")
    kari, ola = make_user(), make_user(uuid4())
    for user in (kari, ola, kari):
        assert await database.get_role(user) == Ok(None)
        token = route.calls.last.request.headers["authorization"]
        assert token == f"Bearer {user.token.get_secret_value()}"


@pytest.mark.parametrize("answer", ["emperor", ["coordinator"], {}, 1], ids=str)
async def test_an_unexpected_role_is_internal_not_none(
    database: Database, rest: respx.Router, answer: Any
) -> None:
    rest.post(f"{REST}/rpc/get_role").respond(json=answer)
    assert await database.get_role(make_user()) == Err(ErrorCode.INTERNAL, cause="unexpected role")
