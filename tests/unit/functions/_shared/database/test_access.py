from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import PUBLISHABLE_KEY, make_user
from tests.support.examples import make_profile

if TYPE_CHECKING:
    import respx

    from _shared.database import Database
    from _shared.result import Result

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


async def test_a_profile_is_read_with_the_users_own_token(database: Database, rest: respx.Router) -> None:
    user, profile = make_user(), make_profile(role="org_admin")
    route = rest.get(f"{REST}/profiles").respond(json=[profile.model_dump(mode="json")])
    assert await database.get_profile(user) == Ok(profile)
    request = route.calls.last.request
    assert request.headers["apikey"] == PUBLISHABLE_KEY
    assert request.headers["authorization"] == f"Bearer {user.token.get_secret_value()}"
    assert dict(request.url.params) == {"select": "organization_id,role,is_active", "id": f"eq.{user.id}"}


async def test_users_do_not_get_each_others_tokens(database: Database, rest: respx.Router) -> None:
    route = rest.get(f"{REST}/profiles").respond(json=[])
    kari, ola = make_user(), make_user(uuid4())
    for user in (kari, ola, kari):
        assert await database.get_profile(user) == Ok(None)
        token = route.calls.last.request.headers["authorization"]
        assert token == f"Bearer {user.token.get_secret_value()}"


@pytest.mark.parametrize("answer", [[{"role": "emperor"}], {}, "kari"], ids=["row", "object", "text"])
async def test_an_unexpected_profile_is_internal_not_absent(
    database: Database, rest: respx.Router, answer: Any
) -> None:
    rest.get(f"{REST}/profiles").respond(json=answer)
    assert await database.get_profile(make_user()) == Err(ErrorCode.INTERNAL, cause="unexpected Profile")


@pytest.mark.parametrize(
    ("rows", "meaning"),
    [
        ([{"statistics_enabled": True}], Ok(None)),
        ([{"statistics_enabled": False}], Err(ErrorCode.FEATURE_DISABLED)),
        ([], Err(ErrorCode.FORBIDDEN, cause="no active member")),
        ({}, Err(ErrorCode.INTERNAL, cause="unexpected StatisticsSettings")),
    ],
)
async def test_why_a_user_sees_nothing(
    database: Database, rest: respx.Router, rows: object, meaning: Result[None]
) -> None:
    user = make_user()
    route = rest.get(f"{REST}/organization_settings").respond(json=rows)
    assert await database.check_statistics_enabled(user) == meaning
    request = route.calls.last.request
    assert request.headers["authorization"] == f"Bearer {user.token.get_secret_value()}"
