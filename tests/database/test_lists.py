"""Nothing is cut in silence: what must be whole comes as one value, and a list can be read to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.database.limits.support import Caller, token
from tests.functions.hierarchy.scene import planted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PAGE = 1000  # as the platform: max_rows in supabase/config.toml
# each relation that has an order of its own, and what tells its rows apart
KEYS = {
    "activity_time_series": ["bucket_date", "chapter_id"],
    "chapter_stats": ["chapter_id"],
    "chapters": ["name", "id"],
    "coordinator_monthly_stats": ["coordinator_id", "activity_month", "activity_type_id"],
    "mv_activity_time_series": ["bucket_date", "chapter_id"],
    "mv_chapter_stats": ["chapter_id"],
    "mv_peer_mentor_stats": ["chapter_id", "peer_mentor_id"],
    "peer_mentor_stats": ["chapter_id", "peer_mentor_id"],
}


@pytest.fixture
def astrid(stack: Stack) -> Caller:
    """NHF's org admin."""
    with psycopg.connect(stack.db_url) as db:
        row = db.execute(
            "select p.id, p.organization_id from public.profiles p join auth.users u on u.id = p.id"
            " where u.email = 'astrid@nhf.example'"
        ).fetchone()
    assert row is not None
    return Caller(stack, token(stack, *row))


@pytest.fixture
def many_chapters(stack: Stack) -> Iterator[Caller]:
    """The org admin of an organisation with more chapters than a page has rows."""
    with planted(stack) as forest:
        forest.db.execute(
            "insert into public.organization_units (organization_id, parent_id, kind, name)"
            " select %s, %s, 'local', 'chapter ' || n from generate_series(1, %s) n",
            [forest.organization, forest.units["national"], PAGE],
        )
        row = forest.db.execute("select id from auth.users where email = %s", [forest.admin]).fetchone()
        assert row is not None
        yield Caller(stack, token(stack, row[0], forest.organization))


def test_a_series_is_one_array_however_many_days_it_has(astrid: Caller) -> None:
    body = {"p_from": "2016-07-01", "p_to": "2026-07-01", "p_bucket": "day"}
    days = astrid.call("POST", "rpc/get_activity_series", body).json()
    assert len(days) > 3 * PAGE
    assert [days[0]["bucket_date"], days[-1]["bucket_date"]] == ["2016-07-01", "2026-06-30"]
    assert [day["bucket_date"] for day in days] == sorted(day["bucket_date"] for day in days)


def test_the_days_of_a_series_are_the_years_sum(astrid: Caller) -> None:
    period = {"p_from": "2016-07-01", "p_to": "2026-07-01"}
    answers = [
        astrid.call("POST", "rpc/get_activity_series", period | {"p_bucket": bucket}).json()
        for bucket in ("day", "week", "month", "year")
    ]
    counts = [sum(bucket["activity_count"] for bucket in answer) for answer in answers]
    assert counts[0] > 0
    assert len(set(counts)) == 1


def test_a_list_says_that_there_is_more(many_chapters: Caller) -> None:
    """The status without a count is 200, as for a whole list: so whoever needs all asks for the count."""
    silent = many_chapters.call("GET", "chapters?select=id")
    assert (silent.status_code, len(silent.json())) == (200, PAGE)
    assert silent.headers["content-range"] == f"0-{PAGE - 1}/*"
    counted = many_chapters.call("GET", "chapters?select=id", prefer="count=exact")
    assert (counted.status_code, len(counted.json())) == (206, PAGE)
    assert counted.headers["content-range"] == f"0-{PAGE - 1}/{PAGE + 3}"
    rest = many_chapters.call("GET", f"chapters?select=id&offset={PAGE}", prefer="count=exact")
    assert rest.headers["content-range"] == f"{PAGE}-{PAGE + 2}/{PAGE + 3}"


def pages(caller: Caller, relation: str, size: int) -> list[dict[str, Any]]:
    """Read a list to its end as an app does that names no order."""
    rows: list[dict[str, Any]] = []
    while page := caller.call("GET", f"{relation}?limit={size}&offset={len(rows)}").json():
        rows += page
    return rows


def test_a_list_that_is_longer_than_a_page_can_be_read_to_its_end(many_chapters: Caller) -> None:
    found = pages(many_chapters, "chapters", PAGE)
    assert len(found) == len({row["id"] for row in found}) == PAGE + 3


@pytest.mark.parametrize("relation", KEYS)
def test_a_list_has_an_order_of_its_own(astrid: Caller, relation: str) -> None:
    whole = astrid.call("GET", relation).json()
    ordered = astrid.call("GET", f"{relation}?order={','.join(KEYS[relation])}").json()
    assert len(whole) > 1
    assert whole == ordered
    size = max(1, len(whole) // 3)
    assert pages(astrid, relation, size)[: len(whole)] == whole


def test_every_list_that_has_no_table_has_an_order(stack: Stack) -> None:
    with psycopg.connect(stack.db_url) as db:
        rows = db.execute(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace"
            " and c.relkind = 'v' and c.relname <> 'stats_freshness'"  # one row
            " and has_table_privilege('authenticated', c.oid, 'select')"
        ).fetchall()
    # test_retries has possible duplicates: the seed is nearly without
    assert {name for (name,) in rows} == KEYS.keys() | {"possible_duplicates"}


def test_whose_sign_ins_they_are_is_asked_once_and_not_for_every_user(stack: Stack) -> None:
    with psycopg.connect(stack.admin_db_url) as db:
        claims = db.execute(
            "select jsonb_build_object('sub', p.id, 'role', 'authenticated',"
            " 'app_metadata', jsonb_build_object('org_id', p.organization_id))::text"
            " from public.profiles p join auth.users u on u.id = p.id where u.email = 'astrid@nhf.example'"
        ).fetchone()
        db.execute("set local track_functions = 'all'")
        db.execute("select set_config('request.jwt.claims', %s, true)", claims)
        db.execute("set local role authenticated")
        found = db.execute("select id from public.get_sign_ins()").fetchall()
        db.execute("reset role")
        calls = db.execute(
            "select calls from pg_stat_xact_user_functions where funcname = 'administered_org_id'"
        ).fetchone()
    assert len(found) > 1
    assert calls == (1,)
