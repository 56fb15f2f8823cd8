"""One id, given by the app, in every log of one call: gateway, function, what that asks, the webhook."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from tests.support.people import sign_in
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from local.stack import Stack

OWN_ACTIVITY = "activities?select=id,duration_minutes&is_counted=is.true&order=id&limit=1"


def lines(stack: Stack, part: str, trace_id: str) -> list[dict[str, Any]]:
    text = (stack.instance.logs / f"{part}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if f'"{trace_id}"' in line]


def make_trace() -> tuple[str, str]:
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


def test_a_call_of_a_function_is_found_in_every_log(stack: Stack) -> None:
    trace_id, traceparent = make_trace()
    answer = httpx.get(f"{stack.functions_url}/health", headers={"traceparent": traceparent}, trust_env=False)
    assert answer.status_code == 200
    eventually(lambda: len(lines(stack, "gateway", trace_id)) == 2)
    paths = {line["path"] for line in lines(stack, "gateway", trace_id)}
    assert paths == {"/functions/v1/health", "/rest/v1/rpc/get_health"}
    assert [line["function"] for line in lines(stack, "functions", trace_id)] == ["health"]


def test_a_write_is_found_in_the_ledger_and_in_the_log_of_the_function_that_it_woke(stack: Stack) -> None:
    trace_id, traceparent = make_trace()
    headers = sign_in(stack, "ola@nhf.example").headers | {"traceparent": traceparent}
    with (
        psycopg.connect(stack.db_url, autocommit=True) as owner,
        httpx.Client(base_url=stack.rest_url, headers=headers, timeout=20, trust_env=False) as http,
    ):
        (own,) = http.get(OWN_ACTIVITY).json()
        minutes = own["duration_minutes"] + 1

        # between the two another writer may ask first; then the next write does
        def woke() -> bool:
            owner.execute(FORGET_WHAT_WAS_ASKED)
            body = {"duration_minutes": minutes}
            http.patch(f"activities?id=eq.{own['id']}", json=body).raise_for_status()
            http.patch(
                f"activities?id=eq.{own['id']}", json={"duration_minutes": own["duration_minutes"]}
            ).raise_for_status()
            query = "select slug from private.deliveries where traceparent = %s"
            return bool(owner.execute(query, [traceparent]).fetchall())

        eventually(woke)
    found = eventually(
        lambda: [line for line in lines(stack, "functions", trace_id) if line["event"] == "request"]
    )
    assert {line["function"] for line in found} <= {"invalidate_hierarchy_cache", "refresh_stats_views"}
    assert all(line["caller"] == "webhook" for line in found)


@pytest.mark.parametrize("given", ["", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "nonsense"])
def test_without_a_trace_context_one_begins(stack: Stack, given: str) -> None:
    request_id = secrets.token_hex(8)
    headers = {"traceparent": given, "x-request-id": request_id}
    httpx.get(f"{stack.functions_url}/health", headers=headers, trust_env=False).raise_for_status()
    (line,) = lines(stack, "functions", request_id)
    assert len(line["trace_id"]) == 32
    assert set(line["trace_id"]) != {"0"}
    # the function's own call of the database is logged before the call of the function is
    eventually(
        lambda: request_id in {each["request_id"] for each in lines(stack, "gateway", line["trace_id"])}
    )
