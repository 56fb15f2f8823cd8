"""The private PostgreSQL cluster of an instance: create, start, stop, remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local import postgres, processes
from local.config import ROOT_DATA_HOME, private
from local.errors import StackError
from local.network import HOST

if TYPE_CHECKING:
    from local.config import Instance

NAME = "postgres"
SETTINGS = Path(__file__).parent / "sql" / "postgresql.conf"
EXTENSION_HOOKS = Path(__file__).parent / "sql" / "extwlist"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def major_version(instance: Instance) -> int:
    """Tell which PostgreSQL this instance's data need; for a new cluster, the chosen one.

    Raises StackError if that version is not installed, or if another one was asked for.
    """
    file = instance.data / "PG_VERSION"
    if not file.exists():
        return postgres.chosen()
    written_by, wanted = int(file.read_text(encoding="ascii")), postgres.requested()
    if wanted not in (None, written_by):
        raise StackError(
            f"this stack's data were written by PostgreSQL {written_by}: "
            f"`make reset PG={wanted}` throws them away and starts with {wanted}"
        )
    if written_by not in postgres.installed():
        raise StackError(
            f"this stack's data were written by PostgreSQL {written_by}, which is not installed any more: "
            f"`make setup PG={written_by}` installs it, `make reset` starts with new data"
        )
    return written_by


def exists(instance: Instance) -> bool:
    """Whether the cluster was completely created."""
    return (instance.data / "fersk.conf").exists()


def create(instance: Instance) -> None:
    """Create an empty cluster with `supabase_admin` as its superuser, in place of any that is there."""
    destroy(instance)
    if _system_user():
        ROOT_DATA_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    instance.data.mkdir(mode=0o700)
    log, major, user = instance.logs / "initdb.log", major_version(instance), _system_user()
    options = ["--username=supabase_admin", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
    with tempfile.NamedTemporaryFile("w") as password, private(log).open("wb") as output:
        password.write(instance.secrets.admin_password)
        password.flush()
        _hand_over(instance.data, Path(password.name))
        files = [f"--pgdata={instance.data}", f"--pwfile={password.name}", "--no-sync"]
        done = subprocess.run(
            [postgres.program("initdb", major), *options, *files],
            cwd="/",
            env=ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    if done.returncode != 0:
        raise StackError(f"the database cluster could not be created in {instance.data}", log=log)
    with (instance.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude 'fersk.conf'\n")
    configure(instance)


def configure(instance: Instance) -> None:
    """Write the settings and extension hooks that the next start uses."""
    hooks = instance.data / "extwlist"
    shutil.copytree(EXTENSION_HOOKS, hooks, dirs_exist_ok=True)
    own = f"listen_addresses = '{HOST}'\nport = {instance.ports.postgres}\nextwlist.custom_path = '{hooks}'\n"
    (instance.data / "fersk.conf").write_text(SETTINGS.read_text(encoding="utf-8") + own, encoding="utf-8")
    _hand_over(instance.data / "fersk.conf", hooks, *hooks.rglob("*"))


def start(instance: Instance) -> None:
    """Start the server and wait until it takes connections; what a crash left behind is cleared first."""
    configure(instance)
    port, major = instance.ports.postgres, major_version(instance)
    probe = [postgres.program("pg_isready", major), "--quiet", f"--host={HOST}", f"--port={port}"]
    program = processes.Program(
        name=NAME,
        command=[postgres.program("postgres", major), "-D", str(instance.data)],
        environment=ENVIRONMENT,
        ready=lambda: subprocess.run(probe, check=False).returncode == 0,
        ports=[port],
        sources=[instance.data / "fersk.conf"],
        cwd=instance.data,
        user=_system_user(),
    )
    if not processes.is_current(instance, program):
        stop(instance)
        processes.start(instance, program)


def stop(instance: Instance, *, immediate: bool = False) -> None:
    """Stop the server: fast by default; `immediate` as in a crash, with recovery at the next start.

    A server killed with SIGKILL leaves backends that hold its shared memory, and its lock file, whose number
    may by now belong to somebody else.
    """
    processes.stop(instance, NAME, signal.SIGQUIT if immediate else signal.SIGINT)
    processes.end(_processes_in(instance.data), signal.SIGQUIT)
    (instance.data / "postmaster.pid").unlink(missing_ok=True)


def destroy(instance: Instance) -> None:
    """Stop the server and remove its data."""
    stop(instance)
    shutil.rmtree(instance.data, ignore_errors=not instance.data.exists())


def _system_user() -> str | None:
    """Name whom the server runs as: it refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None


def _hand_over(*paths: Path) -> None:
    if user := _system_user():
        for path in paths:
            shutil.chown(path, user, user)


def _processes_in(directory: Path) -> list[psutil.Process]:
    """List the server processes that work in a data directory, as all processes of its server do."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # somebody else's, or just gone
            if process.name() == "postgres" and process.cwd() == str(directory):
                found.append(process)
    return found
