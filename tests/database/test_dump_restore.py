"""A logical dump comes out exact in another cluster, whose transaction numbers are its own.

So does the platform's way of moving to a new project: a dump of the schema, and one of the data.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from local import database, migrations, postgres
from local.migrations import without_password
from local.requirements import ROOT
from tests.database.test_pgtap import prove
from tests.resilience import operations
from tests.resilience.comparison import MATERIALIZED_VIEWS, differences, public_differences
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.own_cluster import empty_cluster, own_cluster
from tests.resilience.scene import MINUTES, MOMENTS, Activity, Draft, Scene, load_scene
from tools import restore_drill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.resilience.own_cluster import Connection, OwnCluster

# More than a restore uses up by itself, so that "later" and "earlier" are what they say.
MANY_TRANSACTIONS = 4000


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("dumped") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def scene(own: OwnCluster) -> Scene:
    with own.connect() as connection:
        return load_scene(connection)


def _burn(connection: Connection, count: int) -> None:
    """Use up transaction numbers, as years of work do."""
    connection.execute(
        f"do $$ begin for i in 1..{count} loop perform pg_current_xact_id(); commit; end loop; end $$"
    )


def _next_xid(connection: Connection) -> int:
    row = connection.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
    assert row is not None
    return int(row[0])


def _rows(scene: Scene, first: int, count: int) -> list[Activity]:
    return [
        scene.activity(
            UUID(int=first + number),
            Draft(
                *(number % 4, number % 3, number % 2, number % 2),
                *(MOMENTS[number % 6], MINUTES[number % 4], number % 4, "registered"),
            ),
        )
        for number in range(count)
    ]


def _write_here_and_there(connection: Connection, scene: Scene, first: int) -> None:
    """Changes of many transactions, with many numbers between them."""
    for row in _rows(scene, first, 20):
        operations.insert(connection, [row])
        _burn(connection, MANY_TRANSACTIONS // 20)
    operations.edit(connection, [UUID(int=first)], "duration_minutes", _rows(scene, first + 1, 1)[0])
    operations.delete(connection, [UUID(int=first + 2)])


def _dump(own: OwnCluster, directory: Path) -> None:
    _run("pg_dumpall", "--roles-only", "--no-role-passwords", f"--file={directory / 'roles.sql'}", own=own)
    _run("pg_dump", "--format=custom", f"--file={directory / 'dump'}", own=own)


def _restore(own: OwnCluster, directory: Path) -> None:
    # the superuser is there already; psql goes on after that one error
    _run("psql", "--no-psqlrc", "--quiet", f"--file={directory / 'roles.sql'}", own=own)
    with own.connect(admin=True) as connection:
        password = sql.Literal(own.instance.password("postgres"))
        connection.execute(sql.SQL("alter role postgres password {}").format(password))
    _run("pg_restore", "--exit-on-error", str(directory / "dump"), own=own)


def _run(program: str, *arguments: str, own: OwnCluster) -> None:
    url, password = without_password(own.admin_url)
    command = [postgres.program(program), f"--dbname={url}", *arguments]
    environment = {**os.environ, "PGPASSWORD": password, "PGOPTIONS": "-c client_min_messages=error"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{program}: {done.stderr}"


def _page(heading: str) -> list[str]:
    """The blocks of SQL of a section of the page, which is what is drilled here."""
    page = (ROOT / "docs" / "howto" / "back-up.md").read_text(encoding="utf-8")
    _, _, section = page.partition(f"\n## {heading}\n")
    found = re.findall(r"^```sql\n(.*?)^```", section.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert found, heading
    return list(found)


def _problems(connection: Connection) -> list[str]:
    return [problem for (problem,) in connection.execute("select problem from private.platform_problems()")]


SCHEDULES = (
    "heartbeat",
    "hourly-refresh",
    "nightly-audit",
    "nightly-cleanup",
    "nightly-precompute",
    "nightly-retention",
    "sweep",
)
LOST = [
    *(f"schedule fersk-{name} is missing" for name in SCHEDULES),
    "nobody may listen to broadcasts: realtime.messages has no policy of ours",
    "the log of Postgres quotes what people wrote: errors of the API's sessions are logged",
]
EMPTY = [f"stats.{name} is empty: it was restored without its rows" for name in MATERIALIZED_VIEWS]


def test_a_move_to_a_new_project_is_healed_by_one_function(
    own: OwnCluster, scene: Scene, tmp_path: Path
) -> None:
    _, (close, heal) = restore_drill.runbook()
    with own.connect() as source:
        _write_here_and_there(source, scene, 700_000)
        activities = source.execute("select count(*) from public.activities").fetchone()
        secret = source.execute("select private.secret('fersk_webhook_secret')").fetchone()
        applied = migrations.applied(own.url)
        restore_drill.dump(own.url, tmp_path)

    with empty_cluster("moved") as target:
        database.install_platform(target.instance)
        with target.connect() as connection:
            connection.execute(close.encode())
            restore_drill.restore(tmp_path, target.url)
            assert connection.execute("select count(*) from public.activities").fetchone() == activities
            assert migrations.applied(target.url) == applied
            assert not migrations.differ(target.url)

            # what a dump of this kind lacks
            assert _problems(connection) == LOST + EMPTY
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has not been populated"):
                connection.execute("select * from stats.mv_chapter_stats")
            assert connection.execute("select private.secret('fersk_webhook_secret')").fetchone() == secret

            connection.execute(_without_placeholders(heal).encode())
            assert _problems(connection) == []
            assert differences(connection) == []
            connection.execute("select cron.unschedule(jobid) from cron.job")
            _write_here_and_there(connection, scene, 710_000)
            assert differences(connection) == []
            connection.execute("select stats.refresh(p_force := true)")
            assert differences(connection) == []
        done = prove(target.url, ROOT / "supabase" / "tests" / "00_privileges.test.sql")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def _without_placeholders(statements: str) -> str:
    url = "https://functions.tests.example/functions/v1"
    filled = re.sub(r"https://<.*?>/functions/v1", url, statements)
    return re.sub(r"whsec_<.*?>", "whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==", filled)


def test_a_move_that_left_the_default_privileges_open_is_named(own: OwnCluster, tmp_path: Path) -> None:
    restore_drill.dump(own.url, tmp_path)
    with empty_cluster("moved-open") as target:
        database.install_platform(target.instance)
        restore_drill.restore(tmp_path, target.url)
        with target.connect() as connection:
            assert "what was restored is open to anon" in _problems(connection)


@pytest.mark.parametrize(
    ("refreshed", "burnt"),
    [
        pytest.param("late", 0, id="into-a-cluster-younger-than-the-last-fold"),
        pytest.param("early", 0, id="into-a-cluster-younger-than-some-pending-changes"),
        pytest.param("early", 20 * MANY_TRANSACTIONS, id="into-an-older-cluster"),
    ],
)
def test_a_restored_dump_is_exact_and_stays_exact(
    own: OwnCluster, scene: Scene, tmp_path: Path, refreshed: str, burnt: int
) -> None:
    first = 1 if refreshed == "late" else 10_000 + burnt
    with ExitStack() as stack:
        source, unfinished = (stack.enter_context(own.connect()) for _ in range(2))
        if refreshed == "early":
            source.execute("select stats.refresh(p_force := true)")
        refreshed_at = _next_xid(source)
        _write_here_and_there(source, scene, first)
        if refreshed == "late":
            source.execute("select stats.refresh(p_force := true)")
            refreshed_at = _next_xid(source)
            operations.insert(source, _rows(scene, first + 100, 5))
        unfinished.execute("begin")
        operations.insert(unfinished, _rows(scene, first + 200, 5))
        _dump(own, tmp_path)
        dumped_at = _next_xid(source)

    with empty_cluster(f"restored-{burnt}") as target:
        with target.connect(admin=True) as connection:
            _burn(connection, burnt)
        _restore(target, tmp_path)
        with target.connect() as connection:
            connection.execute("select cron.unschedule(jobid) from cron.job")
            now = _next_xid(connection)
            assert (now > dumped_at) if burnt else (now < dumped_at), (now, dumped_at)
            assert differences(connection) == []
            assert connection.execute("select * from stats.audit()").fetchall() == []

            _write_here_and_there(connection, scene, first + 300)
            assert differences(connection) == []
            connection.execute("select stats.refresh(p_force := true)")
            operations.insert(connection, _rows(scene, first + 400, 5))
            assert differences(connection) == []
            with connection.transaction():
                assert public_differences(connection, scene.organization, scene.admin) == []
    assert refreshed_at < dumped_at


def test_a_dump_of_an_older_major_version_is_exact_in_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, oldest = max(postgres.installed()), min(postgres.installed())
    if newest == oldest:
        pytest.skip(f"only one major version of PostgreSQL is installed: {newest}")
    monkeypatch.setenv(postgres.VARIABLE, str(oldest))
    with own_cluster("older-major") as source:
        with source.connect() as connection:
            scene = load_scene(connection)
            _write_here_and_there(connection, scene, 1)
            connection.execute("select stats.fold()")
            operations.insert(connection, _rows(scene, 100, 5))  # of this the log tells
        # the newer programs dump, as pg_dump's own page has it
        with monkeypatch.context() as newer:
            newer.setenv(postgres.VARIABLE, str(newest))
            _dump(source, tmp_path)
            with empty_cluster("newer-major") as target:
                _restore(target, tmp_path)
                with target.connect() as connection:
                    version = connection.execute("show server_version_num").fetchone()
                    assert version is not None
                    assert int(version[0]) // 10_000 == newest
                    connection.execute("select cron.unschedule(jobid) from cron.job")
                    (afterwards,) = _page("Another major version")
                    for statement in afterwards.splitlines():
                        rows = connection.execute(statement.encode()).fetchall()
                        if "stats.audit" in statement:
                            assert rows == []
                    assert_exact_and_audited(connection)
                    _write_here_and_there(connection, scene, 200)
                    connection.execute("select stats.refresh(p_force := true)")
                    assert_exact_and_audited(connection)


def assert_exact_and_audited(connection: Connection) -> None:
    assert differences(connection) == []
    assert connection.execute("select * from stats.audit()").fetchall() == []


@pytest.mark.parametrize(
    ("schemas", "is_exact"),
    [(["public", "stats"], True), (["public"], False)],
    ids=["with-the-statistics", "without-them"],
)
def test_data_alone_are_exact_or_found_and_healed(
    own: OwnCluster, scene: Scene, tmp_path: Path, schemas: list[str], *, is_exact: bool
) -> None:
    """Restored with the triggers off, as the CLI does it, into a database that has the migrations."""
    file = tmp_path / "data"
    with own.connect() as source:
        first = 800_000 if is_exact else 810_000
        _write_here_and_there(source, scene, first)
        source.execute("select stats.fold()")
        source.execute("select public.precompute_hierarchy(id, 2026) from public.organizations")
        operations.insert(source, _rows(scene, first + 100, 5))
    chosen = [f"--schema={name}" for name in schemas]
    _run("pg_dump", "--format=custom", "--data-only", f"--file={file}", *chosen, own=own)
    _run("pg_dump", "--format=custom", "--data-only", f"--file={file}.auth", "--table=auth.users", own=own)

    with empty_cluster("data-alone") as target:
        database.install_platform(target.instance)
        migrations.up(target.url)
        with target.connect(admin=True) as connection:
            connection.execute("select cron.unschedule(jobid) from cron.job")
        before, after = _page("The data alone")
        if is_exact:  # stats comes along
            with target.connect() as connection:
                connection.execute(before.encode())
        _run("pg_restore", "--exit-on-error", "--disable-triggers", f"{file}.auth", own=target)
        _run("pg_restore", "--exit-on-error", "--disable-triggers", str(file), own=target)
        with target.connect() as connection:
            if not is_exact:
                assert differences(connection) != []
                found = {name for (name,) in connection.execute("select relation_name from stats.audit()")}
                assert {"daily_totals", "monthly_totals", "peer_mentor_totals", "yearly_totals"} <= found
                health = connection.execute("select public.get_health() -> 'differences'").fetchone()
                assert health is not None
                assert health[0] > 0
            for statement in after.splitlines():
                rows = connection.execute(statement.encode()).fetchall()
                if "stats.audit" in statement:
                    assert rows == []
                if "platform_problems" in statement:
                    assert [problem.split()[0] for problem, _ in rows] == ["secret", "secret"]
            connection.execute("select cron.unschedule(jobid) from cron.job")
            assert_exact_and_audited(connection)
            assert wrong_entries(connection) == []
            _write_here_and_there(connection, scene, first + 200)
            connection.execute("select stats.fold()")
            assert_exact_and_audited(connection)
            assert wrong_entries(connection) == []


def test_one_command_repairs_a_damaged_log(own: OwnCluster, scene: Scene) -> None:
    with own.connect() as connection:
        operations.upsert(connection, _rows(scene, 900_000, 20))
        assert differences(connection) == []
        connection.execute("delete from stats.activity_changes where id % 2 = 0")
        connection.execute("update stats.monthly_totals set total_minutes = total_minutes + 1")
        assert differences(connection) != []

        connection.execute("select stats.rebuild()")
        assert differences(connection) == []
        operations.delete(connection, [UUID(int=900_000)])
        assert differences(connection) == []
