"""Migrations up with the Supabase CLI, and down with the matching file in supabase/rollbacks.

The CLI alone applies migrations and keeps their history; it has no way back, so a rollback is run with psql
and then reported to the CLI.
"""

from __future__ import annotations

import os
import subprocess
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import psycopg

from local import postgres
from local.errors import StackError
from local.requirements import NODE_MODULES, ROOT, node_directory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CLI = NODE_MODULES / ".bin" / "supabase"


def up(database_url: str, *, include_seed: bool = False, project: Path = ROOT) -> list[str]:
    """Apply the migrations (and, once, the seed) that the database does not have yet.

    database_url : of role `postgres`, password included.
    Returns      : the versions that were applied, in order.
    Raises       : StackError with the CLI's own words.
    """
    before, options = applied(database_url), ["--include-seed"] if include_seed else []
    supabase("db", "push", "--yes", *options, database_url=database_url, project=project)
    return [version for version in applied(database_url) if version not in before]


def applied(database_url: str) -> list[str]:
    """List the versions in the database's migration history, oldest first."""
    with psycopg.connect(database_url) as connection:
        try:
            rows = connection.execute(
                "select version from supabase_migrations.schema_migrations order by version"
            )
        except psycopg.errors.UndefinedTable:
            return []
        return [version for (version,) in rows]


def differ(database_url: str, *, project: Path = ROOT) -> bool:
    """Whether the database's history is another than that of the files in supabase/migrations."""
    files = (project / "supabase" / "migrations").glob("*.sql")
    return {file.name.partition("_")[0] for file in files} != set(applied(database_url))


def latest_rollback(database_url: str, *, project: Path = ROOT) -> tuple[str, Path] | None:
    """Return the version of the latest migration and the file that undoes it; None without migrations.

    Raises StackError if there is not exactly one such file.
    """
    versions = applied(database_url)
    if not versions:
        return None
    version = versions[-1]
    found = sorted((project / "supabase" / "rollbacks").glob(f"{version}_*.sql"))
    if len(found) != 1:
        raise StackError(
            f"migration {version} has {len(found)} rollbacks in supabase/rollbacks, one is needed"
        )
    return version, found[0]


def down_one(database_url: str, *, project: Path = ROOT) -> str | None:
    """Undo the latest migration. Returns its version, or None if there is none.

    Raises StackError if its rollback is missing, or fails: it is one transaction, so nothing is half undone.
    """
    latest = latest_rollback(database_url, project=project)
    if latest is None:
        return None
    version, rollback = latest
    url, password = without_password(database_url)
    psql = [postgres.program("psql"), "--no-psqlrc", "--quiet", "--single-transaction"]
    options = ["--set=ON_ERROR_STOP=1", f"--file={rollback}", url]
    _run([*psql, *options], f"rollback {rollback.name}", project, {"PGPASSWORD": password})
    arguments = ("migration", "repair", "--yes", "--status", "reverted", version)
    supabase(*arguments, database_url=database_url, project=project)
    return version


def supabase(
    *arguments: str,
    database_url: str | None = None,
    project: Path = ROOT,
    cli: Path = CLI,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run the Supabase CLI on a project and, where given, on a database other than the project's own.

    Returns its answer, which is its standard output alone: on the other stream it talks to people, also when
    all is well. Raises StackError with both if it fails.
    """
    command, password = [str(cli), *arguments, f"--workdir={project}"], ""
    if database_url:
        url, password = without_password(database_url)
        command.append(f"--remote={url}")
    return _run(command, f"supabase {' '.join(arguments)}", project, {"PGPASSWORD": password, **environment})


def without_password(database_url: str) -> tuple[str, str]:
    """Split a URL into one that may be seen in the list of processes, and the password for PGPASSWORD."""
    parts = urlsplit(database_url)
    address = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}")
    return address.geturl(), unquote(parts.password or "")


def _run(command: Sequence[str], title: str, project: Path, environment: dict[str, str]) -> str:
    fixed = {
        "PATH": os.pathsep.join(filter(None, [str(node_directory() or ""), os.environ["PATH"]])),
        "PGSSLMODE": "disable",  # it never leaves this machine
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, **fixed, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(text for text in (done.stdout.strip(), done.stderr.strip()) if text)
        _, error, rest = words.partition("ERROR:")  # then comes the statement, however long
        raise StackError(f"{title} failed:\n{(error + rest)[:4000] if error else words[-4000:]}")
    return done.stdout
