"""What the stack itself does in its database: the platform below the migrations, and its secrets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

from local.errors import StackError
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.config import Instance

SQL = Path(__file__).parent / "sql"
FIRST_START = SQL / "first_start.sql"
PG_NET = SQL / "60_pg_net.sql"
LOGIN_ROLES = ("supabase_admin", "postgres", "authenticator", "supabase_auth_admin")


@dataclass(frozen=True)
class SignIn:
    """A seeded account that a person may sign in with."""

    organization: str
    role: str
    email: str
    chapters: int


def install_platform(instance: Instance) -> bool:
    """Create roles, schemas, auth and pg_net's stand-in, as hosted Supabase has them before any migration.

    Each file is one transaction and may be run again; all are skipped if they did not change.
    Returns whether they were run. Raises StackError naming the file that failed.
    """
    marker = instance.data / "fersk.platform"
    files = sorted(SQL.glob("[0-9]*.sql"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in [FIRST_START, *files])).hexdigest()
    is_new = not marker.exists()
    if not is_new and marker.read_text(encoding="utf-8") == digest:
        return False
    with psycopg.connect(instance.database_url("supabase_admin"), autocommit=True) as connection:
        connection.execute("set lock_timeout = '10s'")
        if _exists(connection, "select from pg_catalog.pg_available_extensions where name = 'pg_net'"):
            files.remove(PG_NET)
        for file in [*files, FIRST_START] if is_new else files:
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error as error:
                raise StackError(f"{file.relative_to(ROOT)} failed: {error}") from error
        for role in LOGIN_ROLES:
            # Hashed here: the statement is kept by pg_stat_statements, where `postgres` reads it.
            hashed = connection.pgconn.encrypt_password(
                instance.password(role).encode(), role.encode(), b"scram-sha-256"
            )
            statement = sql.SQL("alter role {} password {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(hashed.decode())))
    marker.write_text(digest, encoding="utf-8")
    return True


def store_secrets(database_url: str, values: Mapping[str, str]) -> None:
    """Hand named values to the database: into Vault where it exists, see `private.set_secret`.

    Raises StackError if the migrations do not provide that function.
    """
    try:
        with psycopg.connect(database_url) as connection:
            for name, value in values.items():
                connection.execute("select private.set_secret(%s, %s)", (name, value))
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        raise StackError(f"the migrations do not provide private.set_secret(name, value): {error}") from error


def is_seeded(database_url: str) -> bool:
    """Whether the CLI has loaded the seed into this database."""
    with psycopg.connect(database_url) as connection:
        if not _exists(connection, "select where to_regclass('supabase_migrations.seed_files') is not null"):
            return False
        return _exists(connection, "select from supabase_migrations.seed_files")


def sign_ins(database_url: str) -> list[SignIn]:
    """List accounts to sign in with, at most 15 of each organisation; empty if the seed was not loaded."""
    query = """
        select organization.name, account.role, account.email, account.chapters
        from public.organizations as organization
        cross join lateral (
            select profile.role::text, email,
                (select count(*) from public.chapter_assignments where profile_id = profile.id) as chapters
            from public.profiles as profile join auth.users as account using (id)
            where profile.organization_id = organization.id and profile.is_active
            order by profile.role desc, email limit 15
        ) as account
        order by 1, 2, 3
    """
    with psycopg.connect(database_url) as connection:
        return [SignIn(*row) for row in connection.execute(query)]


def pg_net_worker_is_up(instance: Instance) -> bool:
    """Whether the stand-in's worker is connected; a database that is not there counts as no."""
    try:
        with psycopg.connect(instance.database_url("supabase_admin"), connect_timeout=5) as connection:
            return _exists(connection, "select from pg_stat_activity where application_name like 'pg_net%'")
    except psycopg.OperationalError:
        return False


def _exists(connection: psycopg.Connection, query: LiteralString) -> bool:
    return connection.execute(query).fetchone() is not None
