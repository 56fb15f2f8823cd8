"""Installing into projects as they are found: with older default privileges, with names taken."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from local import database, migrations
from local.errors import StackError
from local.requirements import ROOT
from tests.database.test_migrations import MIGRATIONS, ROLLBACKS, run, state_of
from tests.database.test_pgtap import prove
from tests.resilience.own_cluster import empty_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack
    from tests.resilience.own_cluster import OwnCluster

FOUNDATIONS = MIGRATIONS[0]
UP_TO_EXTENSIONS = 3  # the foundations, default privileges, extensions
DEFAULT_PRIVILEGES = """
    select d.defaclobjtype::text, d.defaclnamespace::regnamespace::text, a.grantee::regrole::text,
           a.privilege_type
    from pg_default_acl d cross join aclexplode(d.defaclacl) a
    where d.defaclrole = 'postgres'::regrole and a.grantee <> d.defaclrole
"""
BEFORE_2026 = """
    alter default privileges for role postgres in schema public
        grant all on tables to postgres, anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        grant all on sequences to postgres, anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        grant all on functions to postgres, anon, authenticated, service_role;
"""
CLOSED = """
    alter default privileges for role postgres in schema public
        revoke all on tables from anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        revoke all on sequences from anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        revoke all on functions from anon, authenticated, service_role;
    alter default privileges for role postgres revoke execute on functions from public;
"""
OURS = """
    select format('public.%s', c.relname) from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union
    select format('public.%s()', p.proname) from pg_proc p where p.pronamespace = 'public'::regnamespace
    union
    select format('type public.%s', t.typname) from pg_type t
    where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd')
"""
PROBLEMS = "select problem from private.platform_problems()"
LISTENERS = "select policyname from pg_policies where schemaname = 'realtime' and tablename = 'messages'"


@contextmanager
def project(purpose: str, *statements: str) -> Iterator[OwnCluster]:
    """Give a project as Supabase makes it today, after some statements of its owner."""
    with empty_cluster(purpose) as own:
        database.install_platform(own.instance)
        with own.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())
        yield own


def grants(own: OwnCluster) -> set[tuple[str, ...]]:
    with own.connect() as connection:
        return set(connection.execute(DEFAULT_PRIVILEGES))


@pytest.mark.parametrize("defaults", [BEFORE_2026, CLOSED], ids=["open", "closed"])
def test_default_privileges_of_another_age(defaults: str) -> None:
    """What is open is the same whatever the project grants by default, and that comes back as it was."""
    with project("defaults", defaults) as own:
        before, state = grants(own), state_of(own.instance)
        assert (("r", "public", "anon", "SELECT") in before) == (defaults == BEFORE_2026)
        migrations.up(own.url, include_seed=True)
        assert not {grant for grant in grants(own) if grant[2] in {"anon", "authenticated", "service_role"}}
        done = prove(own.url, ROOT / "supabase" / "tests" / "00_privileges.test.sql")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

        run(own.instance, ROLLBACKS)
        assert grants(own) == before
        assert state_of(own.instance) == state


def test_extensions_that_were_there_stay() -> None:
    with project("extensions", "create extension pg_trgm with schema extensions") as own:
        state = state_of(own.instance)
        run(own.instance, MIGRATIONS[:UP_TO_EXTENSIONS])
        run(own.instance, ROLLBACKS[-UP_TO_EXTENSIONS:])
        assert state_of(own.instance) == state
        with own.connect() as connection:
            assert connection.execute("select from pg_extension where extname = 'pg_trgm'").fetchone() == ()


def test_names_that_are_taken_are_all_named_before_anything_is_done() -> None:
    with project(
        "taken",
        "create table public.profiles (id uuid primary key, nickname text)",
        "create function public.search_units(integer) returns void language sql as ''",
        "create type public.unit_kind as enum ('team')",
        "create schema private",
        "create view private.anything as select 1",
        "create table public.unrelated (id integer)",
    ) as own:
        state = state_of(own.instance)
        with pytest.raises(StackError) as refused:
            migrations.up(own.url)
        assert (
            "these names are taken in this project: private.anything, public.profiles,"
            " public.search_units(), type public.unit_kind (SQLSTATE 42710)"
        ) in str(refused.value)
        assert state_of(own.instance) == state
        assert migrations.applied(own.url) == []


def test_extensions_elsewhere_are_named_too() -> None:
    unrelated = (
        "create table public.unrelated (id integer)",
        "create function public.unrelated() returns void language sql as ''",
        "create schema drafts",
        "create table drafts.activities (id integer)",
    )
    with project("elsewhere", "create extension pg_trgm with schema public", *unrelated) as own:
        state = state_of(own.instance)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
            run(own.instance, [FOUNDATIONS])
        assert refused.value.diag.message_primary == (
            "extensions are expected in schema extensions: pg_trgm is in public"
        )
        assert state_of(own.instance) == state

        # with nothing in the way, what is somebody else's stays beside ours
        with own.connect(admin=True) as connection:
            connection.execute("alter extension pg_trgm set schema extensions")
        migrations.up(own.url)
        with own.connect() as connection:
            for name in ("public.unrelated", "drafts.activities", "public.activities"):
                assert connection.execute("select to_regclass(%s) is not null", [name]).fetchone() == (True,)


def test_every_name_that_the_migrations_take_is_looked_for(stack: Stack) -> None:
    """Without the sign that they are here, the migrations find all of their own objects in the way."""
    with psycopg.connect(stack.db_url) as connection:
        ours = {name for (name,) in connection.execute(OURS)}
        connection.execute("alter table private.revoked_default_privileges rename to renamed")
        with pytest.raises(psycopg.errors.DuplicateObject) as refused:
            connection.execute(FOUNDATIONS.read_bytes())
    message = refused.value.diag.message_primary or ""
    found = set(message.removeprefix("these names are taken in this project: ").split(", "))
    assert {name for name in found if name.removeprefix("type ").startswith("public.")} == ours
    assert found >= {"private.secrets", "private.secret()", "stats.activity_changes"}


def listeners(own: OwnCluster) -> list[str]:
    with own.connect() as connection:
        return [name for (name,) in connection.execute(LISTENERS)]


def test_where_postgres_may_not_create_the_policy_all_else_is_installed() -> None:
    """As on projects whose realtime.messages belongs to another role than postgres is a member of."""
    with empty_cluster("policy") as own:
        database.install_platform(own.instance)
        with own.connect(admin=True) as admin:
            admin.execute("revoke supabase_realtime_admin from postgres")
            assert migrations.up(own.url) == [file.name.partition("_")[0] for file in MIGRATIONS]
            database.store_secrets(
                own.url, {"fersk_functions_url": "http://127.0.0.1:9", "fersk_webhook_secret": "whsec_x"}
            )
            assert listeners(own) == []
            with own.connect() as connection:
                told: list[str] = []
                connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
                assert connection.execute(PROBLEMS).fetchall() == [
                    ("nobody may listen to broadcasts: realtime.messages has no policy of ours",)
                ]
                connection.execute("select private.install_platform_parts()")
                assert told == ["nobody may listen to broadcasts yet: must be owner of table messages"]

                # a broadcast that nobody may hear disturbs nobody
                connection.execute("select private.broadcast_invalidation(gen_random_uuid(), '{}', '{}')")

                admin.execute("grant supabase_realtime_admin to postgres")
                connection.execute("select private.install_platform_parts()")
                assert connection.execute(PROBLEMS).fetchall() == []
                assert len(told) == 1
            assert listeners(own) == ["members listen to their organisation"]
