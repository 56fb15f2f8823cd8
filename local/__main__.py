"""`python -m local <command>`: the stack from the command line; `make` has a target for each command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from local import command, docker, migrations, postgres, services, summary
from local import rollback as undoing
from local.config import Ports
from local.errors import NotRunningError, StackError
from local.progress import Terminal
from local.stack import DEFAULT_STATE_DIR, Stack

if TYPE_CHECKING:
    from collections.abc import Callable

console = Console(soft_wrap=True)


def main() -> int:
    """Run one command. Returns the exit status."""
    arguments = _parse()
    return command.run(lambda: arguments.run(arguments))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack, without Docker.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    for name, run in (("start", start), ("stop", stop), ("reset", reset), ("status", status)):
        added = add(name, run)
        added.add_argument("--engine", choices=("embedded", "docker"), default="embedded")
        if run is start:
            added.add_argument(
                "--port", type=int, help="of the gateway; the others follow (default: as before)"
            )
    add("destroy", destroy)
    add("rollback", rollback).add_argument("--yes", action="store_true", help="do not ask")
    log_options = add("logs", logs)
    log_options.add_argument("-f", "--follow", action="store_true", help="keep showing what is added")
    log_options.add_argument("-n", "--lines", type=int, default=40, help="lines of each log (default 40)")
    log_options.add_argument(
        "part", nargs="*", choices=["postgres", *services.NAMES, []], help="default: all"
    )
    psql_options = add("psql", psql)
    psql_options.add_argument("--admin", action="store_true", help="as supabase_admin, the superuser")
    psql_options.epilog = "Everything else is passed on to psql."
    arguments, options = parser.parse_known_args()
    if options and arguments.run is not psql:
        parser.error(f"unknown arguments: {' '.join(options)}")
    arguments.options = options
    return arguments


def start(arguments: argparse.Namespace) -> int:
    """Start everything that does not run yet, apply new migrations, print how to reach it."""
    if arguments.engine == "docker":
        if arguments.port is not None:
            raise StackError("supabase/config.toml names the containers' ports, not PORT=")
        docker.start(Terminal(console), console)
        return 0
    ports = None if arguments.port is None else Ports.from_gateway(arguments.port)
    stack = Stack(ports=ports, progress=Terminal(console))
    stack.start()
    summary.show(stack, console)
    return 0


def stop(arguments: argparse.Namespace) -> int:
    """Stop everything; the data stay."""
    if arguments.engine == "docker":
        docker.stop(Terminal(console))
    elif DEFAULT_STATE_DIR.exists():
        Stack(progress=Terminal(console)).stop()
    return 0


def reset(arguments: argparse.Namespace) -> int:
    """Throw the database away and start with a new one."""
    if arguments.engine == "docker":
        docker.reset(Terminal(console), console)
        return 0
    stack = Stack(progress=Terminal(console))
    stack.reset()
    summary.show(stack, console)
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Show what runs; the exit status is 1 unless everything does."""
    if arguments.engine == "docker":
        console.out(migrations.supabase("status"), highlight=False)
        return 0
    stack = Stack.running(parts=())
    parts = stack.status()
    if not any(parts.values()):
        raise NotRunningError
    for name, is_up in parts.items():
        console.print(f"{'[green]up  [/green]' if is_up else '[red]down[/red]'} {name}", highlight=False)
    if all(parts.values()):
        summary.show(stack, console)
    return 0 if all(parts.values()) else 1


def destroy(_: argparse.Namespace) -> int:
    """Stop everything and remove its data, secrets and logs."""
    if DEFAULT_STATE_DIR.exists():
        Stack(progress=Terminal(console)).destroy()
    return 0


def logs(arguments: argparse.Namespace) -> int:
    """Show the logs; -f follows them."""
    parts = arguments.part or ["postgres", *services.NAMES]
    files = [DEFAULT_STATE_DIR / "logs" / f"{part}.log" for part in parts]
    existing = [str(file) for file in files if file.exists()]
    if not existing:
        raise NotRunningError
    follow = ["-F"] if arguments.follow else []
    os.execvp("tail", ["tail", "-n", str(arguments.lines), *follow, *existing])  # noqa: S606


def psql(arguments: argparse.Namespace) -> int:
    """Open psql on the running database, as `postgres`."""
    stack = Stack.running()
    url, password = migrations.without_password(stack.admin_db_url if arguments.admin else stack.db_url)
    program = postgres.program("psql")
    os.execve(program, [program, url, *arguments.options], {**os.environ, "PGPASSWORD": password})  # noqa: S606


def rollback(arguments: argparse.Namespace) -> int:
    """Undo the latest migration with its file in supabase/rollbacks, after telling what is lost with it."""
    db_url = Stack.running().db_url
    loss = undoing.rehearse(db_url)
    if loss is None:
        console.print("there is no migration to roll back")
        return 0
    for line in loss.lines():
        console.out(line, highlight=False)
    if not arguments.yes and not _agreed():
        console.print("nothing was undone")
        return 1
    console.print(f"rolled back {migrations.down_one(db_url)}", highlight=False)
    return 0


def _agreed() -> bool:
    """Ask whether to go on; raises StackError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise StackError("nothing was undone: without a terminal it takes YES=1, as in `make rollback YES=1`")
    try:
        return console.input("Undo it? [y/N] ", markup=False).strip().lower() in {"y", "yes"}
    except EOFError:
        console.print()
        return False


if __name__ == "__main__":
    sys.exit(main())
