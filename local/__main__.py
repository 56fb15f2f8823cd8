"""`python -m local <command>`: the stack from the command line; `make` has a target for each command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from local import docker, migrations, postgres, services, summary
from local.errors import StackError
from local.progress import Terminal
from local.stack import DEFAULT_STATE_DIR, Stack

if TYPE_CHECKING:
    from collections.abc import Callable

console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


def main() -> int:
    """Run one command. Returns the exit status."""
    arguments = _parse()
    try:
        command: Callable[[argparse.Namespace], int] = arguments.run
        return command(arguments)
    except StackError as error:
        errors.print("[red bold]error[/red bold]: ", end="")
        errors.out(str(error), highlight=False)
    except KeyboardInterrupt:
        errors.print("interrupted: `make start` continues from here")
    return 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack, without Docker.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        return command

    for name, run in (("start", start), ("stop", stop), ("reset", reset), ("status", status)):
        add(name, run).add_argument("--engine", choices=("embedded", "docker"), default="embedded")
    add("destroy", destroy)
    add("rollback", rollback)
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
        docker.start(Terminal(console), console)
        return 0
    stack = Stack(progress=Terminal(console))
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
    if not DEFAULT_STATE_DIR.exists():
        console.print("not started yet: `make start`")
        return 1
    stack = Stack()
    parts = stack.status()
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
        raise StackError("there are no logs yet: `make start`")
    follow = ["-F"] if arguments.follow else []
    os.execvp("tail", ["tail", "-n", str(arguments.lines), *follow, *existing])  # noqa: S606


def psql(arguments: argparse.Namespace) -> int:
    """Open psql on the running database, as `postgres`."""
    if not DEFAULT_STATE_DIR.exists():
        raise StackError("not started yet: `make start`")
    stack = Stack()
    url, password = migrations.without_password(stack.admin_db_url if arguments.admin else stack.db_url)
    program = postgres.program("psql")
    os.execve(program, [program, url, *arguments.options], {**os.environ, "PGPASSWORD": password})  # noqa: S606


def rollback(_: argparse.Namespace) -> int:
    """Undo the latest migration with its file in supabase/rollbacks."""
    version = migrations.down_one(Stack().db_url)
    console.print(
        f"rolled back {version}" if version else "there is no migration to roll back", highlight=False
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
