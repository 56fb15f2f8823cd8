"""`python -m local <command>`: the stack from the command line; `make` has a target for each command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from local import command, migrations, postgres, services, summary
from local import rollback as undoing
from local.cluster import NAME as POSTGRES
from local.config import Ports
from local.errors import NotRunningError, StackError
from local.progress import Terminal
from local.stack import DEFAULT_STATE_DIR, Stack
from local.supabase_cli import RUNTIMES, Supabase

if TYPE_CHECKING:
    from collections.abc import Callable

console = Console(soft_wrap=True)
terminal = Terminal(console)
PARTS = (POSTGRES, *services.NAMES)


def main() -> int:
    """Run one command. Returns the exit status."""
    arguments = _parse()
    return command.run(lambda: arguments.run(arguments) or 0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack, without Docker.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(run: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    for run in (start, stop, reset, status):
        added = add(run)
        added.add_argument("--engine", choices=("embedded", *RUNTIMES), default="embedded")
        if run is start:
            added.add_argument("--port", type=int, help="of the gateway; the others follow it")
    add(destroy)
    add(rollback).add_argument("--yes", action="store_true", help="do not ask")
    added = add(logs)
    added.add_argument("-f", "--follow", action="store_true", help="keep showing what is added")
    added.add_argument("-n", "--lines", type=int, default=40, help="lines of each log (default 40)")
    added.add_argument("part", nargs="*", choices=[*PARTS, []], help="default: all")
    added = add(psql)
    added.add_argument("--admin", action="store_true", help="as supabase_admin, the superuser")
    added.epilog = "Everything else is passed on to psql."
    add(functions).add_argument("--bind", default="127.0.0.1:8080", metavar="HOST:PORT")
    arguments, options = parser.parse_known_args()
    if options and arguments.run is not psql:
        parser.error(f"unknown arguments: {' '.join(options)}")
    arguments.options = options
    return arguments


def start(arguments: argparse.Namespace) -> None:
    """Start everything that does not run yet, apply new migrations, print how to reach it."""
    if arguments.engine in RUNTIMES:
        if arguments.port is not None:
            raise StackError("supabase/config.toml names the ports of Supabase's own stack, not PORT=")
        return Supabase(arguments.engine).start(terminal, console)
    ports = None if arguments.port is None else Ports.from_gateway(arguments.port)
    stack = Stack(ports=ports, progress=terminal)
    stack.start()
    return summary.show(stack, console)


def stop(arguments: argparse.Namespace) -> None:
    """Stop everything; the data stay."""
    if arguments.engine in RUNTIMES:
        Supabase(arguments.engine).stop(terminal)
    elif DEFAULT_STATE_DIR.exists():
        Stack(progress=terminal).stop()


def reset(arguments: argparse.Namespace) -> None:
    """Throw the database away and start with a new one."""
    if arguments.engine in RUNTIMES:
        return Supabase(arguments.engine).reset(terminal, console)
    stack = Stack(progress=terminal)
    stack.reset()
    return summary.show(stack, console)


def status(arguments: argparse.Namespace) -> int:
    """Show what runs; the exit status is 1 unless everything does."""
    if arguments.engine in RUNTIMES:
        console.out(Supabase(arguments.engine).run("status"), highlight=False)
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


def destroy(_: argparse.Namespace) -> None:
    """Stop everything and remove its data, secrets and logs."""
    if DEFAULT_STATE_DIR.exists():
        Stack(progress=terminal).destroy()


def logs(arguments: argparse.Namespace) -> None:
    """Show the logs; -f follows them."""
    files = [DEFAULT_STATE_DIR / "logs" / f"{part}.log" for part in arguments.part or PARTS]
    existing = [str(file) for file in files if file.exists()]
    if not existing:
        raise NotRunningError
    follow = ["-F"] if arguments.follow else []
    os.execvp("tail", ["tail", "-n", str(arguments.lines), *follow, *existing])  # noqa: S606


def psql(arguments: argparse.Namespace) -> None:
    """Open psql on the running database, as `postgres`."""
    stack = Stack.running()
    url, password = migrations.without_password(stack.admin_db_url if arguments.admin else stack.db_url)
    program = postgres.program("psql")
    os.execve(program, [program, url, *arguments.options], {**os.environ, "PGPASSWORD": password})  # noqa: S606


def functions(arguments: argparse.Namespace) -> None:
    """Serve all functions in one more process, as a container does, for the running stack."""
    program = services.functions(Stack.running().instance)
    python, *module = program.command[: program.command.index("--bind")]
    os.chdir(program.cwd)
    os.execve(python, [python, *module, "--bind", arguments.bind], dict(program.environment))  # noqa: S606


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
