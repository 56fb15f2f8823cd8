"""The single origin of a running stack: real keys, real roles, real load. Details: the folder gateway/."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import create_client
from supabase.lib.client_options import SyncClientOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supabase import Client

    from local.stack import Stack

REQUESTS = 2000
CONCURRENCY = 32


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.api_url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("name", ["secret_key", "service_role_key"])
def test_secret_keys_may_do_what_the_service_may(stack: Stack, http: httpx.Client, name: str) -> None:
    answer = http.post("/rest/v1/rpc/get_health", headers={"apikey": getattr(stack, name)}, json={})
    assert answer.status_code == 200
    assert "pending_changes" in answer.json()


@pytest.mark.parametrize("name", ["publishable_key", "anon_key"])
def test_publishable_keys_may_not(stack: Stack, http: httpx.Client, name: str) -> None:
    answer = http.post("/rest/v1/rpc/get_health", headers={"apikey": getattr(stack, name)}, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "42501")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_write_without_a_filter_changes_nothing(stack: Stack, http: httpx.Client, method: str) -> None:
    """As on Supabase, in PostgREST's own shape; the same with a filter is done."""
    path, change = "/rest/v1/organization_settings", {"warm_up_limit": 11}
    headers = {"apikey": stack.secret_key, "prefer": "return=representation"}
    before = http.get(path, headers=headers).json()
    refused = http.request(method, path, headers=headers, json=change)
    real = http.request(method, f"{path}?warm_up_limit=eq.x", headers=headers, json=change)
    assert (refused.status_code, refused.json()["code"]) == (400, "21000")
    assert (refused.status_code, refused.headers["content-type"]) == (
        real.status_code,
        real.headers["content-type"],
    )
    assert refused.json().keys() == real.json().keys()
    assert http.get(path, headers=headers).json() == before

    one = f"{path}?organization_id=eq.{before[0]['organization_id']}&warm_up_limit=eq.12"
    assert http.request(method, one, headers=headers, json=change).json() == []


@pytest.fixture
def connect(stack: Stack) -> Iterator[Callable[[str], Client]]:
    """Give clients of the unmodified library, by key."""
    with httpx.Client() as pool:
        options = SyncClientOptions(httpx_client=pool, auto_refresh_token=False)
        yield lambda key: create_client(stack.api_url, key, options)


def test_client_library_works_with_a_key_in_both_headers(
    stack: Stack, connect: Callable[[str], Client]
) -> None:
    assert len(connect(stack.secret_key).table("organizations").select("id").execute().data) > 1
    with pytest.raises(APIError) as refused:
        connect(stack.publishable_key).table("organizations").select("id").execute()
    assert refused.value.code == "42501"


def test_filters_with_parentheses_dots_and_percent_signs(
    stack: Stack, connect: Callable[[str], Client]
) -> None:
    units = connect(stack.secret_key).table("organization_units").select("name,kind")
    found = (
        units.or_("name.eq.Oslo,and(kind.eq.region,name.like.NHF*)")
        .ilike("name", "%o%")
        .order("name")
        .execute()
    )
    regions = [{"name": f"NHF {name}", "kind": "region"} for name in ("Nord", "Oslo", "Rogaland")]
    assert [row for row in found.data if row not in regions] == [{"name": "Oslo", "kind": "local"}] * 3
    assert [row for row in found.data if row in regions] == regions


def test_head_then_get_on_one_connection(stack: Stack, http: httpx.Client) -> None:
    headers = {"apikey": stack.secret_key, "prefer": "count=exact"}
    for _ in range(20):
        head = http.head("/rest/v1/organizations", headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        get = http.get("/rest/v1/organizations", headers=headers)
        assert get.status_code == 200
        assert get.headers["content-range"] == head.headers["content-range"]


async def test_load_meets_no_gateway_error(stack: Stack) -> None:
    """Requests of all kinds at once, over kept connections: each is answered by its service."""
    kinds = [
        ("GET", "/rest/v1/organizations?select=id&limit=1", 200),
        ("HEAD", "/rest/v1/organizations?select=id", 200),
        ("POST", "/rest/v1/rpc/get_health", 200),
        ("GET", "/functions/v1/health", 200),
        ("GET", "/rest/v1/there_is_none", 404),
    ]
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> tuple[str, int]:
        method, path, _ = kinds[number % len(kinds)]
        async with slots:
            answer = await client.request(method, path, headers={"apikey": stack.secret_key})
        return f"{method} {path}", answer.status_code

    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(base_url=stack.api_url, limits=limits, timeout=60) as client:
        answers = Counter(await asyncio.gather(*(one(number) for number in range(REQUESTS))))
    each = REQUESTS // len(kinds)
    assert answers == {(f"{method} {path}", status): each for method, path, status in kinds}


def test_rest_recovers_with_the_database(stack: Stack, http: httpx.Client) -> None:
    def ask() -> httpx.Response:
        return http.get("/rest/v1/organizations", headers={"apikey": stack.secret_key})

    assert ask().status_code == 200
    stack.stop_postgres()
    try:
        answer = ask()
        assert answer.status_code == 503, answer.text
    finally:
        stack.start_postgres()
    wait_until_ok(ask)


def wait_until_ok(ask: Callable[[], httpx.Response], seconds: float = 30) -> None:
    """PostgREST tries to connect again at growing intervals of its own."""
    deadline = time.monotonic() + seconds
    while (answer := ask()).status_code != 200:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
