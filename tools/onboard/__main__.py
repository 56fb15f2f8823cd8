"""`make onboard DIR=…`: an organisation from a folder of CSV files, whole or not at all.

All files are read and compared with the database first, and every problem is named by file and line. Then the
steps are written, each in a transaction of its own. A second run writes what is missing or has changed.
Docs: docs/howto/onboard.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from local import command
from local.errors import StackError
from local.stack import DEFAULT_STATE_DIR, Stack
from local.summary import PASSWORD
from tools.onboard import files, plan
from tools.onboard.activities import activity_ids
from tools.onboard.sign_ins import ByAuth, ByOwner, SignIns
from tools.onboard.state import read_state
from tools.onboard.write import Run, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.onboard.files import Folder, Problem
    from tools.onboard.plan import Plan
    from tools.onboard.state import State

    Connection = psycopg.Connection[tuple[Any, ...]]
    Report = Callable[[str, int, int], None]

BUSY = "another run is at work on this organisation"


class ProblemsError(Exception):
    """The folder has problems; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = sorted(set(problems))


def onboard(
    db_url: str,
    path: Path,
    sign_ins: SignIns | None,
    *,
    is_dry: bool = False,
    report: Report = lambda _step, _done, _of: None,
) -> Plan:
    """Write a folder, or only tell what would be written. Returns what was to be done.

    db_url   : of role `postgres`, which owns the tables.
    sign_ins : how they are made; None where they cannot be.
    report   : told the name of each step, how much of it is done, and of how much.
    Raises ProblemsError where the folder is wrong, StackError where something else stands in the way.
    """
    report("reading the files", 0, 1)
    folder, problems = files.read(path)
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        slug = folder.organizations[0].slug if folder.organizations else ""
        _take(connection, slug)
        report("comparing", 0, 1)
        made, state = _compare(connection, folder, problems)
        if made.without_sign_in and sign_ins is None and not is_dry:
            raise StackError(
                f"{len(made.without_sign_in)} people have no sign-in yet: "
                "name the project that makes them, URL=… KEY=<secret key>"
            )
        if not is_dry and sign_ins and not made.is_empty():
            write(Run(connection, folder, sign_ins, report), state, made)
    return made


def _take(connection: Connection, slug: str) -> None:
    """Let one run at a time work on an organisation; that of a killed one ends by itself."""
    connection.execute("set lock_timeout = '10s'")
    try:
        connection.execute("select pg_advisory_lock(hashtext('fersk.onboard'), hashtext(%s))", [slug])
    except psycopg.errors.LockNotAvailable:
        raise StackError(BUSY) from None
    connection.execute("reset lock_timeout")


def _compare(connection: Connection, folder: Folder, problems: list[Problem]) -> tuple[Plan, State]:
    ids = activity_ids(folder)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        state = read_state(connection, folder, ids)
    made, more = plan.make(folder, state, ids, dt.datetime.now(dt.UTC))
    if made is None or problems or more:
        raise ProblemsError([*problems, *more])
    return made, state


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.onboard", description=__doc__)
    parser.add_argument("folder", help="with organization.csv, units.csv, people.csv and others")
    parser.add_argument("--dry-run", action="store_true", help="tell what would change, and write nothing")
    parser.add_argument("--db", default="", help="Postgres URL of role postgres (default: the local stack)")
    parser.add_argument("--url", default="", help="of the project whose Auth server makes the sign-ins")
    parser.add_argument("--key", default=os.environ.get("SUPABASE_SECRET_KEY", ""), help="its secret key")
    parser.add_argument("--no-mail", action="store_true", help="make sign-ins without sending invitations")
    parser.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="of the local stack")
    return parser.parse_args(words)


def _sign_ins(arguments: argparse.Namespace) -> SignIns | None:
    if arguments.url:
        return ByAuth(arguments.url, arguments.key, is_mailed=not arguments.no_mail)
    return None if arguments.db else ByOwner(PASSWORD)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    arguments = _arguments(sys.argv[1:] if words is None else words)
    return command.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    if not arguments.folder or not folder.is_dir():
        raise StackError(f"“{arguments.folder}” is no folder: name one with DIR=…")
    db_url = arguments.db or Stack.running(arguments.state_dir).db_url
    errors = Console(stderr=True, soft_wrap=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task("starting")
            made = onboard(
                db_url,
                folder,
                _sign_ins(arguments),
                is_dry=arguments.dry_run,
                report=lambda step, done, of: progress.update(
                    task, description=step, completed=done, total=of
                ),
            )
    except ProblemsError as error:
        for each in error.problems:
            errors.out(f"{folder / str(each)}", highlight=False)
        errors.out(f"{error}: nothing was written", highlight=False)
        return 1
    _show(made, arguments)
    return 0


def _show(made: Plan, arguments: argparse.Namespace) -> None:
    table = Table(
        "",
        *("would be added", "would be changed") if arguments.dry_run else ("added", "changed"),
        "unchanged",
    )
    for kind, *counts in made.summary():
        table.add_row(kind, *(f"{count:,}" for count in counts))
    command.tables().print(table)
    if made.activities.kept:
        print(f"{made.activities.kept:,} activities were changed in Fersk since, and stay as they are")
    if made.without_sign_in:
        how = "get an invitation by mail" if arguments.url and not arguments.no_mail else "get a sign-in"
        print(f"{len(made.without_sign_in):,} people {'would ' if arguments.dry_run else ''}{how}")
        if not arguments.dry_run and not arguments.url:
            print(f"their password is `{PASSWORD}`: this is the local stack")
            admins = [each.email for each in made.without_sign_in if each.role == "org_admin"]
            if admins and not arguments.db:
                print(f"Console: {Stack(arguments.state_dir).api_url}/ as {admins[0]}")
    if made.is_empty():
        print("nothing to do: all of it is there")


if __name__ == "__main__":
    sys.exit(main())
