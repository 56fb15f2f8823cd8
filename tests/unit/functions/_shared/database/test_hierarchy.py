from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from _shared.database.hierarchy import WarmUpReport
from _shared.result import Err, ErrorCode, Ok, Result
from tests.support.credentials import PUBLISHABLE_KEY, SECRET_KEY, make_user
from tests.support.examples import HLF, NHF, UNIT, make_batch, make_entry, make_payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import respx

    from _shared.database import Database

REST = "http://supabase.test/rest/v1"
Method = str
USER = make_user()
CALLS: dict[Method, Callable[[Database], Awaitable[Result[Any]]]] = {
    "acknowledge_wake_ups": lambda database: database.acknowledge_wake_ups(),
    "take_unit_changes": lambda database: database.take_unit_changes(),
    "request_invalidation_again": lambda database: database.request_invalidation_again(),
    "warm_hierarchy_cache": lambda database: database.warm_hierarchy_cache(NHF, 2.5),
    "precompute_hierarchy": lambda database: database.precompute_hierarchy(NHF, 2026),
    "refresh_hierarchy_entry": lambda database: database.refresh_hierarchy_entry(UNIT, 2026),
    "record_node_reads": lambda database: database.record_node_reads({UNIT: 3}),
    "read_hierarchy_stats": lambda database: database.read_hierarchy_stats(USER, UNIT, 2026),
}


@pytest.mark.parametrize(
    ("method", "parameters", "answer", "result"),
    [
        ("acknowledge_wake_ups", {}, 3, 3),
        ("take_unit_changes", {}, make_batch().model_dump(mode="json") | {"extra": 1}, make_batch()),
        ("request_invalidation_again", {}, 2**53 + 1, 2**53 + 1),
        (
            "warm_hierarchy_cache",
            {"p_organization_id": str(NHF), "p_seconds": 2.5},
            {"warmed": 2, "skipped": 1},
            WarmUpReport(warmed=2, skipped=1),
        ),
        ("precompute_hierarchy", {"p_organization_id": str(NHF), "p_year": 2026}, 46, 46),
        ("refresh_hierarchy_entry", {"p_unit_id": str(UNIT), "p_year": 2026}, False, False),
        ("record_node_reads", {"p_reads": {str(UNIT): 3}}, 1, 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_sql_function_is_called_with_the_secret_key(
    database: Database,
    rest: respx.Router,
    *,
    method: Method,
    parameters: dict[str, Any],
    answer: Any,
    result: Any,
) -> None:
    route = rest.post(f"{REST}/rpc/{method}").respond(json=answer)
    assert await CALLS[method](database) == Ok(result)
    request = route.calls.last.request
    assert request.headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert json.loads(request.content) == parameters


async def test_a_summary_is_read_with_the_users_own_token(database: Database, rest: respx.Router) -> None:
    text = make_entry(payload=make_payload(activity_count=2**53 + 1)).model_dump_json()
    route = rest.post(f"{REST}/rpc/read_hierarchy_stats").respond(
        content=text, headers={"content-type": "application/json"}
    )
    answer = await database.read_hierarchy_stats(USER, UNIT, 2026)
    assert answer == Ok(make_entry(payload=make_payload(activity_count=2**53 + 1)))
    request = route.calls.last.request
    assert request.headers["apikey"] == PUBLISHABLE_KEY
    assert request.headers["authorization"] == f"Bearer {USER.token.get_secret_value()}"
    assert json.loads(request.content) == {"p_unit_id": str(UNIT), "p_year": 2026}


async def test_the_organisations_that_want_warm_ups_are_listed(
    database: Database, rest: respx.Router
) -> None:
    rows = [{"organization_id": str(NHF)}, {"organization_id": str(HLF)}]
    route = rest.get(f"{REST}/organization_settings").respond(json=rows)
    assert await database.list_warmed_organizations() == Ok([NHF, HLF])
    assert dict(route.calls.last.request.url.params) == {
        "select": "organization_id",
        "order": "organization_id.asc",
        "warm_up_enabled": "eq.true",
        "statistics_enabled": "eq.true",
    }


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("answer", [None, "3", [3], {"more": "perhaps"}, 3.5], ids=str)
async def test_an_answer_of_another_shape_is_internal(
    database: Database, rest: respx.Router, method: Method, answer: Any
) -> None:
    rest.post(f"{REST}/rpc/{method}").respond(json=answer)
    result = await CALLS[method](database)
    assert isinstance(result, Err)
    assert result.code is ErrorCode.INTERNAL
    assert result.cause is not None
    assert result.cause.startswith("unexpected ")


@pytest.mark.parametrize("answer", [{}, [{}], [{"organization_id": "kari"}], 3], ids=str)
async def test_a_list_of_something_else_is_internal(
    database: Database, rest: respx.Router, answer: Any
) -> None:
    rest.get(f"{REST}/organization_settings").respond(json=answer)
    result = await database.list_warmed_organizations()
    assert result == Err(ErrorCode.INTERNAL, cause="unexpected SummarySettings")


@pytest.mark.parametrize(
    ("status", "code", "for_user", "for_service"),
    [
        (403, "42501", "forbidden", "internal"),
        (400, "22023", "bad_request", "internal"),
        (423, "PT423", "feature_disabled", "feature_disabled"),
        (500, "40001", "upstream_unavailable", "upstream_unavailable"),
        (500, "40P01", "upstream_unavailable", "upstream_unavailable"),
        (500, "57014", "upstream_timeout", "upstream_timeout"),
    ],
)
async def test_each_refusal_of_the_database_has_one_meaning(
    database: Database,
    rest: respx.Router,
    *,
    status: int,
    code: str,
    for_user: str,
    for_service: str,
) -> None:
    rest.post(path__startswith="/rest/v1/rpc/").respond(status, json={"code": code, "message": "kari"})
    read = await database.read_hierarchy_stats(USER, UNIT, 2026)
    assert read == Err(ErrorCode(for_user), cause=code)
    assert await database.take_unit_changes() == Err(ErrorCode(for_service), cause=code)
