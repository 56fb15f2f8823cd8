"""A PATCH or DELETE of a whole table is refused as on Supabase; everything else reaches PostgREST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.gateway.processes import PUBLISHABLE_KEY

if TYPE_CHECKING:
    import httpx

    from tests.stack.gateway.processes import Upstream

KEY = {"apikey": PUBLISHABLE_KEY}
VERBS = {"PATCH": "UPDATE", "DELETE": "DELETE"}


WHOLE = [
    "units",
    "units/",
    "units?",
    "units?select=id,name",
    "units?order=id&limit=1&offset=2",
    "units?columns=a,b&on_conflict=id",
    "units?select=*,chapters(*)&chapters.id=eq.1",
    "units?select=*,chapters(*)&chapters.or=(a.eq.1,b.eq.2)",
    "rpc",
    f"units?apikey={PUBLISHABLE_KEY}",
]
SOME = [
    "units?id=eq.1",
    "units?select=id&id=in.(1,2)",
    "units?or=(a.eq.1,b.eq.2)",
    "units?and=(a.eq.1,b.eq.2)",
    "units?not.and=(a.eq.1,b.eq.2)",
    "units?not.or=(a.eq.1,b.eq.2)",
    "units?data-%3E%3Ekey=eq.1",
    "units?%22a.b%22=eq.1",
    "rpc/anything",
]


@pytest.mark.parametrize("method", VERBS)
@pytest.mark.parametrize("headers", [{}, {"content-profile": "public"}], ids=["plain", "with-a-schema"])
def test_without_a_filter_it_is_refused(
    http: httpx.Client, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    message = f"{VERBS[method]} requires a WHERE clause"
    for target in WHOLE:
        answer = http.request(method, f"/rest/v1/{target}", headers=KEY | headers)
        assert (answer.status_code, answer.headers["content-type"]) == (
            400,
            "application/json; charset=utf-8",
        )
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json() == {"code": "21000", "details": None, "hint": None, "message": message}
    assert upstream.received == []


@pytest.mark.parametrize("method", VERBS)
def test_with_a_filter_it_reaches_postgrest(http: httpx.Client, upstream: Upstream, method: str) -> None:
    for target in SOME:
        assert http.request(method, f"/rest/v1/{target}", headers=KEY).status_code == 200
        assert (upstream.last().method, upstream.last().target) == (method, f"/{target}")


def test_without_a_key_the_answer_is_about_the_key(http: httpx.Client) -> None:
    answer = http.delete("/rest/v1/units")
    assert (answer.status_code, answer.json()["message"]) == (401, "No API key found in request")
