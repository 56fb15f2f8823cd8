"""`make restore-drill`: a backup is good once it has come back: restored into an empty cluster, and audited.

    make restore-drill                 # of the running stack: dumped, restored, compared table by table
    make restore-drill BACKUP=folder   # of a project: the runbook's five files of "Moving to a new project"

It runs what the runbook says. Nothing is written to where the backup comes from. `PG=17` restores into that
version, which rehearses an upgrade.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from local import command, migrations, postgres
from local.errors import StackError
from local.requirements import ROOT
from local.stack import Stack
from tools.scratch import scratch

if TYPE_CHECKING:
    from local.config import Instance

RUNBOOK = ROOT / "docs" / "howto" / "runbook.md"
BLOCK = re.compile(r"^ *```(\w+).*\n((?:.*\n)*?) *```$", re.MULTILINE)
# On Supabase schema net belongs to an extension, whose rows are in no dump; the last is the local stack's.
NOT_DUMPED_THERE = (
    "net.http_request_queue",
    "net.http_request_queue_id_seq",
    "net._http_response",
    "auth.password_attempts",
)
TABLES = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' order by 2
"""


def runbook() -> tuple[list[str], list[str]]:
    """Give the commands and the SQL of "Moving to a new project", as they stand in the runbook."""
    _, _, section = RUNBOOK.read_text(encoding="utf-8").partition("## Moving to a new project\n")
    blocks = [(language, textwrap.dedent(code)) for language, code in BLOCK.findall(section)]
    return [code for language, code in blocks if language == "sh"], [
        code for language, code in blocks if language == "sql"
    ]


def dump(database_url: str, folder: Path) -> None:
    """Run the runbook's commands; the CLI would run pg_dump in a container, so its script is run here."""
    commands, _ = runbook()
    for each in commands[0].strip().splitlines():
        arguments = each.replace('--remote "$OLD"', "").split()[2:]
        place = arguments.index("-f")
        file = folder / arguments[place + 1]
        del arguments[place : place + 2]
        if "data.sql" in file.name:
            for name in NOT_DUMPED_THERE:
                arguments += ["--exclude", name]
        printed = migrations.supabase(*arguments, "--dry-run", database_url=database_url)
        file.write_text(
            _bash(f"set -euo pipefail{printed.partition('set -euo pipefail')[2]}"), encoding="utf-8"
        )


def restore(folder: Path, database_url: str) -> None:
    """Run the runbook's psql in the folder of the dumps, as postgres."""
    commands, _ = runbook()
    url, password = migrations.without_password(database_url)
    _bash(f"set -eu\n{commands[1]}", cwd=folder, PGPASSWORD=password, NEW=url)


def _bash(script: str, cwd: Path = ROOT, **variables: str) -> str:
    path = f"{Path(postgres.program('psql')).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **variables}
    done = subprocess.run(
        ["bash"], input=script, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError(f"the backup failed:\n{done.stderr.strip()[-4000:]}")
    return done.stdout


def rehearse(folder: Path, instance: Instance) -> None:
    """Do the runbook's steps 2 to 4, but for the secrets, which are not in a backup."""
    _, (close, heal) = runbook()
    url = instance.database_url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(close.encode())
        restore(folder, url)
        for statement in heal.splitlines():
            if "set_secret" not in statement:
                connection.execute(statement.encode())
        connection.execute("select cron.unschedule(jobid) from cron.job where jobname like 'fersk-%'")


def count_rows(database_url: str) -> dict[str, int]:
    """Count the rows of each table of `public`."""
    with psycopg.connect(database_url) as connection:
        query = sql.SQL("select count(*) from {}")
        found = {}
        for schema, name in connection.execute(TABLES).fetchall():
            row = connection.execute(query.format(sql.Identifier(schema, name))).fetchone()
            found[name] = row[0] if row else 0
        return found


def findings(database_url: str, expected: dict[str, int] | None) -> list[str]:
    """Say what is not as it should be in a restored database.

    expected : rows by table of where it came from; None if that is not known.
    """
    with psycopg.connect(database_url) as connection:
        audited = connection.execute(
            "select relation_name, count(*) from stats.audit() group by 1 order by 1"
        )
        found = [f"audit: {count} differences in {name}" for name, count in audited]
        if migrations.differ(database_url):
            found.append("its migrations are not those of this checkout")
        (schedules,) = connection.execute(
            "select count(*) from private.platform_problems() p where p.problem like 'stats.%'"
        ).fetchone() or (0,)
        if schedules:
            found.append(f"{schedules} of mv_* are empty")
    now = count_rows(database_url)
    return found + [
        f"{name}: {now.get(name, 0)} rows, {count} in the source"
        for name, count in (expected or {}).items()
        if now.get(name, 0) != count
    ]


def main() -> int:
    """Drill once."""
    parser = argparse.ArgumentParser(prog="restore-drill", description="Restore a backup and audit it.")
    parser.add_argument("--backup", type=Path, help="folder with the runbook's five files")
    given: Path | None = parser.parse_args().backup
    with tempfile.TemporaryDirectory() as directory:
        folder, expected = given or Path(directory), None
        started = time.monotonic()
        if given is None:
            source = Stack.running().db_url
            expected = count_rows(source)
            dump(source, folder)
            print(f"dumped in {time.monotonic() - started:.1f} s")
        size = sum(file.stat().st_size for file in folder.glob("*.sql")) / 1e6
        with scratch() as instance:
            started = time.monotonic()
            rehearse(folder.resolve(), instance)
            url = instance.database_url("postgres")
            seconds = time.monotonic() - started
            print(f"restored {size:.1f} MB in {seconds:.1f} s, PostgreSQL {postgres.chosen()}")
            rows = sum(count_rows(url).values())
            found = findings(url, expected)
    print("\n".join(f"  {each}" for each in found) or f"{rows} rows are there, and every total is right")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(command.run(main))
