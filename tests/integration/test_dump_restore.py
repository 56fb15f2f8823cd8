"""A logical dump comes out exact in another cluster, whose transaction numbers are its own."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from psycopg import sql

from local.cluster import BIN
from local.migrations import without_password
from tests.resilience import operations
from tests.resilience.comparison import differences, public_differences
from tests.resilience.own_cluster import empty_cluster, own_cluster
from tests.resilience.scene import MINUTES, MOMENTS, Activity, Draft, Scene, load_scene

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
                *(MOMENTS[number % 6], MINUTES[number % 5], number % 4, "registered"),
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
    command = [str(BIN / program), f"--dbname={url}", *arguments]
    environment = {**os.environ, "PGPASSWORD": password, "PGOPTIONS": "-c client_min_messages=error"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{program}: {done.stderr}"


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
