"""Migrations up and down on a cluster of their own: what one makes, its rollback takes back exactly."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from local import cluster, database, migrations, postgres
from local.config import Ports, open_instance
from local.requirements import ROOT
from tools import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from local.config import Instance

MIGRATIONS = sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
ROLLBACKS = sorted((ROOT / "supabase" / "rollbacks").glob("*.sql"), reverse=True)
VERSIONS = [file.name.partition("_")[0] for file in MIGRATIONS]


class State(NamedTuple):
    """All that migrations make: objects, grants and policies, and what pg_cron and PostgREST are told."""

    schema: str
    schedules: tuple[tuple[str, ...], ...]
    settings: tuple[tuple[str, ...], ...]


def state_of(instance: Instance) -> State:
    url, password = migrations.without_password(instance.database_url("supabase_admin"))
    dump = subprocess.run(
        # the CLI's own history stays when a migration goes
        [postgres.program("pg_dump"), "--schema-only", "--exclude-schema=supabase_migrations", url],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # pg_dump puts a random key into these two lines
    lines = (line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))
    with psycopg.connect(instance.database_url("supabase_admin")) as connection:
        has_cron = connection.execute("select to_regclass('cron.job') is not null").fetchone() == (True,)
        jobs = "select jobname, schedule, command, username from cron.job order by jobname"
        schedules = tuple(connection.execute(jobs)) if has_cron else ()
        told = "select unnest(setconfig) from pg_db_role_setting where setrole = 'authenticator'::regrole"
        settings = tuple(connection.execute(told + " order by 1"))
    return State("\n".join(lines), schedules, settings)


def run(instance: Instance, files: Iterable[Path]) -> None:
    """Run files as their owner, each as one transaction."""
    with psycopg.connect(instance.database_url("postgres")) as connection:
        for file in files:
            connection.execute(file.read_bytes())
            connection.commit()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Give a cluster as Supabase has it before any migration."""
    instance, _ = open_instance(tmp_path_factory.mktemp("migrations") / "state", Ports.free())
    try:
        cluster.create(instance)
        cluster.start(instance)
        database.install_platform(instance)
        yield instance
    finally:
        cluster.destroy(instance)


@pytest.fixture(scope="module")
def history(instance: Instance) -> dict[str, State]:
    """Go up, down and up again once, and return what the database was at each stop."""
    url = instance.database_url("postgres")
    stops = {"empty": state_of(instance)}

    assert migrations.up(url, include_seed=True) == VERSIONS
    stops["up"] = state_of(instance)

    assert migrations.down_one(url) == VERSIONS[-1]
    assert migrations.applied(url) == VERSIONS[:-1]
    stops["newest down"] = state_of(instance)
    assert migrations.up(url) == VERSIONS[-1:]
    stops["newest up again"] = state_of(instance)

    *newer, oldest = ROLLBACKS
    run(instance, newer)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table stats.someone_elses (id integer)")
        stops["almost down"] = state_of(instance)
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="cannot drop schema stats"):
            run(instance, [oldest])
        stops["almost down, refused"] = state_of(instance)
        connection.execute("drop table stats.someone_elses")
    run(instance, [oldest])
    stops["down"] = state_of(instance)

    # Each is repeated right after itself, as the newest: later ones may have grown what it made, and a
    # rollback may make the former view again.
    run(instance, [file for file in MIGRATIONS for _ in range(2)])
    stops["up, each twice"] = state_of(instance)
    run(instance, [file for file in ROLLBACKS for _ in range(2)])
    stops["down, each twice"] = state_of(instance)

    # the CLI keeps the history, and has no way back of its own
    repair = ("migration", "repair", "--yes", "--status", "reverted", *VERSIONS)
    migrations.supabase(*repair, database_url=url)
    assert migrations.up(url) == VERSIONS
    stops["up again"] = state_of(instance)
    return stops


def test_state_shows_what_migrations_make(history: dict[str, State]) -> None:
    up = history["up"]
    assert "CREATE TABLE public.activities" in up.schema
    assert "fersk-sweep" in [name for name, *_ in up.schedules]
    assert ("pgrst.db_pre_request=app.check_request",) in up.settings
    assert "public.activities" not in history["empty"].schema


def test_rollbacks_take_back_exactly_what_migrations_make(history: dict[str, State]) -> None:
    assert history["down"] == history["empty"]


def test_a_rollback_can_be_repeated_right_after_it_was_run(history: dict[str, State]) -> None:
    assert history["down, each twice"] == history["empty"]


def test_up_after_down_is_the_same(history: dict[str, State]) -> None:
    assert history["up again"] == history["up"]


def test_a_migration_can_be_repeated_right_after_it_was_applied(history: dict[str, State]) -> None:
    assert history["up, each twice"] == history["up"]


def test_newest_migration_goes_back_and_forth_alone(history: dict[str, State]) -> None:
    assert history["newest down"] != history["up"]
    assert history["newest up again"] == history["up"]


def test_rollback_that_is_refused_changes_nothing(history: dict[str, State]) -> None:
    assert history["almost down"] != history["empty"]
    assert history["almost down, refused"] == history["almost down"]


def test_schema_file_is_what_the_migrations_make(instance: Instance, history: dict[str, State]) -> None:
    assert history["up again"] == state_of(instance)
    written = schema.FILE.read_text(encoding="utf-8")
    if schema.version_of(written) != cluster.major_version(instance):
        pytest.skip("written by another version of PostgreSQL")
    assert written == schema.dump(instance), "make schema"
