"""The schema can grow: a later migration adds a measure, and is rolled back, while people register."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import pytest

from local import postgres
from local.migrations import without_password
from tests.resilience import operations
from tests.resilience.comparison import differences
from tests.resilience.hierarchy_sessions import act_as
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, load_scene
from tests.support.activities import add_activity, like_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

FOLDER = Path(__file__).parent / "later_measure"
MIGRATION, ROLLBACK = FOLDER / "migration.sql", FOLDER / "rollback.sql"
MOST_LINES = 80
DRAFT = Draft(0, 0, 0, 0, "2026-05-17 12:00Z", 60, 2, "registered")
SAID: LiteralString = "select chapter_id, proxy_count from public.chapter_stats order by 1"
TRUE: LiteralString = """
    select unit_id, count(*) filter (where registered_by <> peer_mentor_id) from public.activities
    where is_counted and organization_id = %s group by 1 order by 1
"""
CHANGES: list[LiteralString] = [
    "update public.activities set duration_minutes = 45 where id = %s",
    "update public.activities set is_proxy_registered = false, registered_by = peer_mentor_id where id = %s",
    "update public.activities set status = 'rejected' where id = %s",
    "delete from public.activities where id = %s",
]


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("later") as cluster:
        yield cluster


def schema_of(own: OwnCluster) -> list[str]:
    url, password = without_password(own.admin_url)
    dump = subprocess.run(
        [postgres.program("pg_dump"), "--schema-only", url],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def run(connection: Connection, file: Path) -> None:
    with connection.transaction():
        connection.execute(file.read_bytes())


def assert_measured(connection: Connection) -> None:
    scene = load_scene(connection)
    true = connection.execute(TRUE, [scene.organization]).fetchall()
    with connection.transaction():
        act_as(connection, scene.organization, scene.admin)
        said = connection.execute(SAID).fetchall()
    assert said == true
    assert sum(count for _, count in said) > 0


def test_the_migration_is_short() -> None:
    assert len(MIGRATION.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_a_measure_comes_and_goes(own: OwnCluster) -> None:
    with own.connect() as connection, own.connect() as writer:
        scene = load_scene(connection)
        before = schema_of(own)
        operations.insert(writer, [scene.activity(UUID(int=1), DRAFT)])
        run(connection, MIGRATION)
        assert_measured(connection)
        copied = like_one(writer, "id = %s", [UUID(int=1)])
        by_proxy = add_activity(  # knew the old log
            writer, **copied, registered_by=scene.coordinators[0], is_proxy_registered=True
        )
        assert_measured(connection)
        connection.execute("select stats.fold()")
        assert_measured(connection)
        for change in CHANGES:
            assert writer.execute(change, [by_proxy]).rowcount == 1
            assert_measured(connection)
            connection.execute("select stats.fold()")
            assert_measured(connection)
        connection.execute("select stats.refresh(p_force := true)")
        assert_measured(connection)
        assert connection.execute("select * from stats.audit()").fetchall() == []

        run(connection, ROLLBACK)
        assert schema_of(own) == before
        operations.insert(writer, [scene.activity(UUID(int=2), DRAFT)])
        assert differences(connection) == []
        connection.execute("select stats.fold()")
        assert differences(connection) == []
        assert connection.execute("select * from stats.audit()").fetchall() == []
