"""make seed-large, small: the same data every time, the shape it claims, statistics that hold."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from local.requirements import ROOT
from tests.resilience.comparison import differences
from tests.resilience.own_cluster import own_cluster
from tools.large import seed as seed_large
from tools.large.activities import Request
from tools.large.population import CHAPTERS, POWER, SLUG, Population
from tools.large.seed import DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

ROWS = 2_000
REQUEST = Request(ROWS, seed=1, until=DEFAULT_UNTIL)
OTHER_SEED = Request(ROWS, seed=2, until=DEFAULT_UNTIL)
LARGE = "organization_id = (select id from public.organizations where slug = 'nhf-large')"


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("seed-large") as cluster:
        yield cluster


@pytest.fixture
def owner(own: OwnCluster) -> Iterator[Connection]:
    """Connect to a database that holds exactly the small data set of seed 1."""
    seed(own.url, REQUEST)
    with own.connect() as connection:
        yield connection


def fingerprint(connection: Connection, condition: str) -> tuple[object, ...]:
    """Tell whether activities and expenses differ in anything but who changed what when."""
    row = connection.execute(f"""
        select (select count(*) from public.activities where {condition}),
               (select md5(string_agg((to_jsonb(a) - 'insert_number')::text, '' order by a.id))
                from public.activities a where {condition}),
               (select md5(string_agg(to_jsonb(e)::text, '' order by e.id))
                from public.expense_claims e where {condition})
    """).fetchone()
    assert row is not None
    return row


def number(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_a_second_run_changes_nothing_and_says_so(own: OwnCluster, owner: Connection) -> None:
    before = number(owner, f"select max(xmin::text::bigint) from public.activities where {LARGE}")
    assert seed(own.url, REQUEST) is False
    assert number(owner, f"select max(xmin::text::bigint) from public.activities where {LARGE}") == before


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(
    own: OwnCluster, owner: Connection
) -> None:
    first, cast = fingerprint(owner, LARGE), fingerprint(owner, f"not {LARGE}")
    assert first[0] == ROWS
    assert seed(own.url, OTHER_SEED) is True
    other = fingerprint(owner, LARGE)
    assert other[0] == ROWS
    assert other[1] != first[1]
    assert seed(own.url, REQUEST) is True
    assert fingerprint(owner, LARGE) == first
    assert fingerprint(owner, f"not {LARGE}") == cast, "the seeded cast is left alone"


def test_copying_in_many_portions_gives_the_same_rows(
    own: OwnCluster, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_one = fingerprint(owner, LARGE)
    assert seed(own.url, OTHER_SEED) is True
    monkeypatch.setattr(seed_large, "ROWS_PER_COPY", 300)  # seven portions, the last one not full
    assert seed(own.url, REQUEST) is True
    assert fingerprint(owner, LARGE) == in_one


def test_live_equals_plain_and_the_log_is_empty(owner: Connection) -> None:
    assert differences(owner) == []
    assert number(owner, "select count(*) from stats.activity_changes") == 0
    assert number(owner, f"select sum(activity_count) from stats.live_time_series where {LARGE}") > ROWS * 0.9


def test_the_log_is_on_again_afterwards(owner: Connection) -> None:
    owner.execute(f"update public.activities set duration_minutes = 17 where {LARGE} and is_counted")
    assert number(owner, "select count(*) from stats.activity_changes") > 0
    assert differences(owner) == []
    off = "select count(*) from pg_trigger where tgrelid = 'public.activities'::regclass and tgenabled <> 'O'"
    assert number(owner, off) == 0


def test_every_unit_is_told_to_the_hierarchy(owner: Connection) -> None:
    told = f"select count(distinct unit_id) from stats.unit_changes where changed_on is null and {LARGE}"
    assert number(owner, told) == number(
        owner, f"select count(*) from public.organization_units where {LARGE}"
    )


def test_the_organisation_has_the_shape_of_nhf(owner: Connection) -> None:
    kinds: dict[str, int] = dict(
        owner.execute(
            f"select kind::text, count(*) from public.organization_units where {LARGE} group by 1"
        ).fetchall()
    )
    assert kinds == {"national": 1, "region": 9, "district": 36, "local": CHAPTERS}
    roles: dict[str, int] = dict(
        owner.execute(f"select role::text, count(*) from public.profiles where {LARGE} group by 1").fetchall()
    )
    assert roles["org_admin"] == 1
    assert roles["peer_mentor"] >= CHAPTERS
    assignments = owner.execute(
        f"select count(*) from public.chapter_assignments join public.profiles p on p.id = profile_id"
        f" where p.role = 'coordinator' and p.{LARGE} group by profile_id"
    ).fetchall()
    assert {count for (count,) in assignments} == {5}
    rejected = number(owner, f"select count(*) from public.activities where not is_counted and {LARGE}")
    assert 0.03 < rejected / ROWS < 0.08
    assert number(owner, f"select count(*) from public.expense_claims where {LARGE}") > 0


def test_activity_over_chapters_follows_the_power_law(owner: Connection) -> None:
    chapters = Population().chapters
    counts: dict[str, int] = dict(
        owner.execute(
            f"select unit_id::text, count(*) from public.activities where {LARGE} group by 1"
        ).fetchall()
    )
    by_rank = [counts.get(chapter, 0) for chapter in chapters]
    weights = [rank**-POWER for rank in range(1, CHAPTERS + 1)]
    # each tenfold stretch of ranks has the part of all activity that the law gives it, within sampling error
    for first, last in ((1, 10), (11, 100), (101, CHAPTERS)):
        expected = ROWS * sum(weights[first - 1 : last]) / sum(weights)
        assert sum(by_rank[first - 1 : last]) == pytest.approx(expected, abs=4 * expected**0.5)


def test_two_years_up_to_the_last_day(owner: Connection) -> None:
    row = owner.execute(
        f"select min(occurred_at)::date, max(occurred_at)::date from public.activities where {LARGE}"
    ).fetchone()
    assert row is not None
    assert (row[1], (row[1] - row[0]).days) == (DEFAULT_UNTIL, 729)


def test_a_failed_load_leaves_what_was_there(own: OwnCluster, owner: Connection) -> None:
    before = fingerprint(owner, LARGE)
    owner.execute(
        "create function public.refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$"
    )
    owner.execute("create trigger refuse after insert on public.activities execute function public.refuse()")
    try:
        with pytest.raises(psycopg.errors.RaiseException, match="no"):
            seed(own.url, OTHER_SEED)
    finally:
        owner.execute("drop function public.refuse() cascade")
    assert fingerprint(owner, LARGE) == before
    assert differences(owner) == []


def test_the_command_tells_what_it_did(own: OwnCluster, owner: Connection) -> None:
    assert number(owner, f"select count(*) from public.activities where {LARGE}") == ROWS
    command = [sys.executable, "-m", "tools.large.seed", f"--rows={ROWS}", f"--db-url={own.url}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2,000 activities are there already" in done.stdout
    refused = subprocess.run([*command, "--rows=0"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "at least 1" in refused.stderr
    assert SLUG in Population().people[0].email
