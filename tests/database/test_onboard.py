"""make onboard on a cluster of its own: whole, exact, repeatable, and resumed after a kill."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from local.errors import StackError
from local.requirements import ROOT
from tests.resilience.comparison import differences
from tests.resilience.own_cluster import own_cluster
from tests.support.waiting import eventually
from tools.large import folder as large_folder
from tools.onboard.__main__ import ProblemsError, onboard
from tools.onboard.sign_ins import ByOwner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.resilience.own_cluster import Connection, OwnCluster
    from tools.onboard.plan import Plan

EXAMPLE = ROOT / "examples" / "onboarding"
WRITTEN = (
    "organizations",
    "organization_settings",
    "organization_units",
    "profiles",
    "chapter_assignments",
    "activity_types",
    "bufdir_category_mappings",
    "bufdir_mapping_versions",
    "bufdir_thresholds",
    "counting_rules",
    "activities",
)
OURS = "organization_id = (select id from public.organizations where slug = 'stemmen')"


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("onboard") as cluster:
        yield cluster


@pytest.fixture
def owner(own: OwnCluster) -> Iterator[Connection]:
    with own.connect() as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "folder")
    return tmp_path / "folder"


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def run(own: OwnCluster, folder: Path, *, is_dry: bool = False) -> dict[str, tuple[int, int, int]]:
    """Give what was added, changed and unchanged."""
    return counts(onboard(own.url, folder, ByOwner("password"), is_dry=is_dry))


def counts(plan: Plan) -> dict[str, tuple[int, int, int]]:
    return {kind: (added, changed, same) for kind, added, changed, same in plan.summary()}


def fingerprint(connection: Connection) -> list[tuple[object, ...]]:
    """Tell whether any row was written, also with what it was."""
    tables = [("public", table) for table in WRITTEN] + [("auth", "users"), ("auth", "identities")]
    return [
        row
        for schema, table in tables
        for row in connection.execute(
            f"select '{table}', count(*), md5(string_agg(t.xmin::text || to_jsonb(t), '' order by t.ctid))"
            f" from {schema}.{table} t"
        ).fetchall()
    ]


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query.encode()).fetchall()


def test_a_dry_run_tells_all_and_writes_nothing(own: OwnCluster, owner: Connection) -> None:
    before = fingerprint(owner)
    told = run(own, EXAMPLE, is_dry=True)
    assert told["activities"] == (27, 0, 0)
    assert fingerprint(owner) == before
    assert run(own, EXAMPLE) == told, "what was told is what is done"
    assert fingerprint(owner) != before


def test_the_files_say_what_is_there_and_every_figure_is_exact(own: OwnCluster, owner: Connection) -> None:
    run(own, EXAMPLE)
    assert rows(
        owner, f"select time_zone, max_chapter_assignments from public.organization_settings where {OURS}"
    ) == [("Europe/Oslo", 5)]
    assert rows(
        owner,
        f"select p.name, u.name, u.kind::text, u.closed_on::text from public.organization_units u "
        f"left join public.organization_units p on p.id = u.parent_id where u.{OURS} order by 2",
    ) == [
        (None, "Stemmen", "national", None),
        ("Stemmen Vest", "Stemmen Bergen", "local", None),
        ("Stemmen Øst", "Stemmen Hamar", "local", None),
        ("Stemmen Øst", "Stemmen Oslo", "local", None),
        ("Stemmen", "Stemmen Vest", "region", None),
        ("Stemmen Vest", "Stemmen Voss", "local", "2025-07-01"),
        ("Stemmen", "Stemmen Øst", "region", None),
    ]
    query = f"""
        select p.display_name, string_agg(u.name, ';' order by a.is_primary desc)
        from public.profiles p
        join public.chapter_assignments a on a.profile_id = p.id
        join public.organization_units u on u.id = a.unit_id
        where p.{OURS} and p.role = 'coordinator' group by 1 order by 1
    """
    chapters = ["Stemmen Oslo;Stemmen Hamar", "Stemmen Bergen;Stemmen Voss"]
    assert rows(owner, query) == [*zip(["Olav Østby", "Vigdis Vik"], chapters, strict=True)]
    # 27 lines: a draft, a meeting of the board, a meeting of two
    assert rows(
        owner,
        f"select not_counted_because, count(*) from public.activities where {OURS} group by 1 order by 1",
    ) == [("draft", 1), ("too_few_participants", 1), ("type_does_not_count", 1), (None, 24)]
    assert rows(owner, f"select sum(activity_count) from stats.live_time_series where {OURS}") == [(24,)]
    query = f"""
        select (a.occurred_at at time zone 'UTC')::text, a.activity_date::text, a.recorded_at = a.occurred_at,
               a.is_proxy_registered, p.display_name, c.display_name
        from public.activities a
        join public.profiles p on p.id = a.registered_by
        join public.profiles c on c.id = a.coordinator_id
        where a.{OURS} and a.activity_date = '2025-06-04'
    """
    proxy = "Olav Østby"
    assert rows(owner, query) == [("2025-06-04 09:00:00", "2025-06-04", True, True, proxy, proxy)]
    assert differences(owner) == []
    assert rows(owner, "select * from stats.audit()") == []


def test_a_second_run_writes_nothing(own: OwnCluster, owner: Connection) -> None:
    run(own, EXAMPLE)
    before = fingerprint(owner)
    again = run(own, EXAMPLE)
    assert fingerprint(owner) == before
    assert {kind: changes[:2] for kind, changes in again.items()} == dict.fromkeys(again, (0, 0))
    assert again["activities"] == (0, 0, 27)


def test_what_changed_in_the_files_is_changed_and_back_again(
    own: OwnCluster, owner: Connection, folder: Path
) -> None:
    run(own, EXAMPLE)
    change(folder, "organization.csv", ",5\n", ",6\n")
    change(folder, "units.csv", "Stemmen Hamar,local,Stemmen Øst", "Stemmen Hamar,local,Stemmen Vest")
    change(folder, "units.csv", "Stemmen Oslo,", "Stemmen Moss,local,Stemmen Øst,\nStemmen Oslo,")
    change(folder, "people.csv", "Stemmen Oslo;Stemmen Hamar,yes", "Stemmen Hamar;Stemmen Moss,yes")
    change(folder, "people.csv", "Cecilie Dahl", "Cecilie Dahl Moe")
    change(folder, "types.csv", "Kurs", "Kurs og samling")
    change(folder, "thresholds.csv", "8,0.8", "9,0.75")
    change(folder, "rules.csv", "yes,30,3", "yes,30,2")
    change(folder, "activities.csv", "anne@stemmen.example,120,3", "bjarne@stemmen.example,150,4")
    assert run(own, folder) == {
        "organisation": (0, 1, 0),
        "units": (1, 1, 6),
        "types": (0, 1, 4),
        "categories": (0, 0, 4),
        "thresholds": (0, 1, 1),
        "rules": (0, 1, 1),
        "people": (0, 2, 5),
        "activities": (0, 1, 26),
    }
    assert rows(owner, f"select sum(activity_count) from stats.live_time_series where {OURS}") == [(25,)]
    assert differences(owner) == []
    assert rows(owner, "select * from stats.audit()") == []
    back = run(own, EXAMPLE)
    assert {kind: changed for kind, (_, changed, _) in back.items()} == {
        "organisation": 1, "units": 1, "types": 1, "categories": 0, "thresholds": 1, "rules": 1, "people": 2,
        "activities": 1,
    }  # fmt: skip
    assert differences(owner) == []
    assert run(own, EXAMPLE)["people"] == (0, 0, 7)


@contextmanager
def as_admin(owner: Connection) -> Iterator[None]:
    """Do what follows as the organisation's admin, over the API's role, in one transaction."""
    ((admin, organization),) = rows(
        owner, f"select id, organization_id from public.profiles where {OURS} and role = 'org_admin'"
    )
    claims = {"sub": str(admin), "role": "authenticated", "app_metadata": {"org_id": str(organization)}}
    with owner.transaction():
        owner.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        owner.execute("set local role authenticated")
        yield


def test_the_console_knows_what_the_command_wrote_and_the_other_way(
    own: OwnCluster, owner: Connection, folder: Path
) -> None:
    run(own, EXAMPLE)
    new = "C-1,2025-04-04,10:00,course,Stemmen Oslo,anne@stemmen.example,75,5,,,registered"
    change(folder, "activities.csv", "A-0001,", f"{new}\nA-0001,")
    with (folder / "activities.csv").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["chapter"] != "Stemmen Voss"]
    with as_admin(owner):
        query = "select public.run_import('activities', %s)"
        ((told,),) = owner.execute(query.encode(), [json.dumps(lines)]).fetchall()
    assert [line["name"] for line in told if line["outcome"] == "insert"] == ["C-1"]
    assert {line["outcome"] for line in told if line["name"] != "C-1"} == {"unchanged"}
    assert run(own, folder)["activities"] == (0, 0, 28)
    change(folder, "activities.csv", ",75,5,", ",80,5,")
    assert run(own, folder)["activities"] == (0, 1, 27)
    new_one = f"{OURS} and activity_date = '2025-04-04'"
    query = f"select duration_minutes, is_proxy_registered from public.activities where {new_one}"
    assert rows(owner, query) == [(80, True)], "who registered it stays"
    assert differences(owner) == []
    owner.execute(f"delete from public.activities where {new_one}")


def test_what_somebody_corrected_in_fersk_stays(own: OwnCluster, owner: Connection) -> None:
    run(own, EXAMPLE)
    day = "activity_date = '2025-05-10'"
    with as_admin(owner):
        owner.execute(f"update public.activities set duration_minutes = 61 where {day}")
        owner.execute("delete from public.activities where activity_date = '2025-05-17'")
    plan = onboard(own.url, EXAMPLE, ByOwner("password"))
    assert plan.activities.kept == 2
    assert counts(plan)["activities"] == (0, 0, 25)
    assert rows(owner, f"select duration_minutes from public.activities where {OURS} and {day}") == [(61,)]
    assert rows(owner, f"select count(*) from public.activities where {OURS}") == [(26,)]


def test_nothing_is_written_while_there_is_a_problem(
    own: OwnCluster, owner: Connection, folder: Path
) -> None:
    change(folder, "organization.csv", "stemmen,", "another,")
    change(folder, "people.csv", "leder@", "other@")
    before = fingerprint(owner)
    with pytest.raises(ProblemsError) as refused:
        run(own, folder)
    said = [str(each) for each in refused.value.problems]
    assert said == [
        f"people.csv:{line}: the address belongs to somebody of another organisation" for line in range(3, 9)
    ]
    assert fingerprint(owner) == before


def test_a_locked_year_is_kept(own: OwnCluster, owner: Connection, folder: Path) -> None:
    run(own, EXAMPLE)
    change(folder, "activities.csv", "anne@stemmen.example,120,3", "anne@stemmen.example,120,4")
    owner.execute(
        f"insert into public.reporting_years (organization_id, year, locked_at, locked_by) "
        f"select organization_id, 2025, now(), id from public.profiles where {OURS} and role = 'org_admin'"
    )
    try:
        with pytest.raises(ProblemsError) as refused:
            run(own, folder)
        assert [str(each) for each in refused.value.problems] == ["activities.csv:4: 2025 is locked"]
        assert run(own, EXAMPLE)["activities"][:2] == (0, 0), "what is there already is no change"
    finally:
        owner.execute(f"delete from public.reporting_years where {OURS}")


def test_what_the_database_refuses_is_named_by_its_line_and_no_half_step_stays(
    own: OwnCluster, owner: Connection, folder: Path
) -> None:
    run(own, EXAMPLE)
    more = "\n".join(
        f"B-{n},2025-03-{n:02},10:00,course,Stemmen Oslo,anne@stemmen.example,{10 + n},3,,,registered"
        for n in range(1, 5)
    )
    change(folder, "activities.csv", "A-0001", f"{more}\nA-0001")
    owner.execute(
        "create function public.refuse() returns trigger language plpgsql as "
        "$$ begin if new.duration_minutes = 13 then raise 'no such thing'; end if; return new; end $$"
    )
    owner.execute(
        "create trigger z before insert on public.activities for each row execute function public.refuse()"
    )
    try:
        with pytest.raises(StackError) as refused:
            run(own, folder)
        assert str(refused.value) == "activities.csv:4: no such thing"
        assert rows(
            owner, f"select count(*) from public.activities where {OURS} and duration_minutes < 15"
        ) == [(0,)]
    finally:
        owner.execute("drop function public.refuse() cascade")
    assert run(own, folder)["activities"][0] == 4
    assert differences(owner) == []


# From the middle of the year on, a writer waits for whoever holds this lock.
HALT = """
    create function public.halt() returns trigger language plpgsql as $$
    begin
        if new.activity_date > '2025-10-31' then perform pg_advisory_xact_lock(4711); end if;
        return new;
    end $$;
    create trigger z before insert on public.activities for each row execute function public.halt();
    select pg_advisory_lock(4711);
"""
PROGRAM = """
import sys
from pathlib import Path
from tools.onboard import write
from tools.onboard.__main__ import onboard
from tools.onboard.sign_ins import ByOwner

write.ROWS_PER_STEP = 500
onboard(sys.argv[1], Path(sys.argv[2]), ByOwner("password"))
"""


def test_a_run_that_was_killed_is_gone_on_with(own: OwnCluster, owner: Connection, tmp_path: Path) -> None:
    large_folder.write(tmp_path, rows=6_000, chapters=60)
    waiting = "select 1 from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"
    owner.execute(HALT)
    try:
        with subprocess.Popen([sys.executable, "-c", PROGRAM, own.url, str(tmp_path)], cwd=ROOT) as process:
            eventually(lambda: rows(owner, waiting))
            process.kill()
    finally:
        owner.execute("select pg_advisory_unlock_all()")
        owner.execute("drop function public.halt() cascade")
    plan = onboard(own.url, tmp_path, ByOwner("password"))
    assert counts(plan) == {
        "organisation": (0, 0, 1),
        "units": (0, 0, 106),
        "types": (0, 0, 5),
        "categories": (0, 0, 4),
        "thresholds": (0, 0, 3),
        "rules": (0, 0, 1),
        "people": (0, 0, len((tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()) - 1),
        # whole steps: the one that was under way is not there
        "activities": (3_000, 0, 3_000),
    }
    large = "organization_id = (select id from public.organizations where slug = 'nhf-onboarded')"
    assert rows(owner, f"select count(*) from public.activities where {large}") == [(6_000,)]
    assert differences(owner) == []
    assert rows(owner, "select * from stats.audit()") == []


def test_two_runs_do_not_work_on_one_organisation(own: OwnCluster, owner: Connection) -> None:
    owner.execute("select pg_advisory_lock(hashtext('fersk.onboard'), hashtext('stemmen'))")
    with pytest.raises(StackError, match="another run is at work on this organisation"):
        run(own, EXAMPLE)
    owner.execute("select pg_advisory_unlock_all()")
    run(own, EXAMPLE)


def test_without_an_auth_server_nobody_new_is_written(
    own: OwnCluster, owner: Connection, folder: Path
) -> None:
    run(own, EXAMPLE)
    assert onboard(own.url, EXAMPLE, None).is_empty()
    change(
        folder,
        "people.csv",
        "anne@stemmen.example,Anne",
        "new@stemmen.example,Nina Ny,peer_mentor,,yes\nanne@stemmen.example,Anne",
    )
    before = fingerprint(owner)
    with pytest.raises(StackError, match="1 people have no sign-in yet"):
        onboard(own.url, folder, None)
    assert fingerprint(owner) == before


def test_a_database_that_is_not_there_is_told() -> None:
    with pytest.raises(psycopg.OperationalError):
        onboard("postgresql://postgres@127.0.0.1:1/postgres", EXAMPLE, None)
