"""The private PostgreSQL cluster of an instance: create, start, stop, remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from local import lifetime, postgres, processes
from local.config import ROOT_DATA_HOME, Instance, private
from local.errors import StackError
from local.network import HOST

NAME = "postgres"
SYSTEM_USER = "postgres"  # the server refuses to run as root
EXTENSION_HOOKS = Path(__file__).parent / "sql" / "extwlist"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
ORPHAN_TIMEOUT_SECONDS = 10.0


def is_running(instance: Instance) -> bool:
    """Whether the server of this instance runs."""
    return processes.running(instance, NAME) is not None


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
    password_file = instance.data.with_suffix(".password")
    try:
        password_file.touch(mode=0o600)
        password_file.write_text(instance.secrets.admin_password, encoding="utf-8")
        if user := _system_user():
            shutil.chown(instance.data, user, user)
            shutil.chown(password_file, user, user)
        _run_initdb(instance, password_file)
    finally:
        password_file.unlink(missing_ok=True)
    with (instance.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude 'fersk.conf'\n")
    configure(instance)


def configure(instance: Instance) -> None:
    """Write the settings and extension hooks that the next start uses."""
    hooks = instance.data / "extwlist"
    shutil.copytree(EXTENSION_HOOKS, hooks, dirs_exist_ok=True)
    settings = {
        "listen_addresses": HOST,
        "port": instance.ports.postgres,
        "unix_socket_directories": "",  # TCP only: a socket's path would have to be short and reachable
        "max_connections": 100,
        "max_worker_processes": 16,
        "shared_buffers": "256MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "jit": "off",
        "wal_level": "logical",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u ",
        # An error's message alone: details, statements and parameters quote the rows that they are about.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
        "shared_preload_libraries": "pg_cron,pg_stat_statements,plpgsql_check",
        "session_preload_libraries": "pgextwlist",
        "extwlist.extensions": "pg_cron,pgtap,plpgsql_check,pg_stat_statements",
        "extwlist.custom_path": hooks,
        "cron.database_name": "postgres",
        "cron.use_background_workers": "on",
        "cron.log_run": "on",
    }
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    (instance.data / "fersk.conf").write_text("".join(lines), encoding="utf-8")
    if user := _system_user():
        for path in (instance.data / "fersk.conf", hooks, *hooks.rglob("*")):
            shutil.chown(path, user, user)


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
    """Stop the server: fast by default; `immediate` as in a crash, with recovery at the next start."""
    processes.stop(instance, NAME, signal.SIGQUIT if immediate else signal.SIGINT)
    _clear_leftovers(instance)


def destroy(instance: Instance) -> None:
    """Stop the server and remove its data."""
    stop(instance)
    if instance.data.exists():
        shutil.rmtree(instance.data)


def _system_user() -> str | None:
    return SYSTEM_USER if os.geteuid() == 0 else None


def _run_initdb(instance: Instance, password_file: Path) -> None:
    log, major = instance.logs / "initdb.log", major_version(instance)
    command = [
        *(postgres.program("initdb", major), f"--pgdata={instance.data}", "--username=supabase_admin"),
        *(
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ),
    ]
    user = _system_user()
    with private(log).open("wb") as output:
        status = subprocess.run(
            command,
            cwd="/",
            env=ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        ).returncode
    if status != 0:
        raise StackError(f"the database cluster could not be created in {instance.data}", log=log)


def _clear_leftovers(instance: Instance) -> None:
    """End a server that outlived its pid file, and remove a lock file that no server stands behind.

    A postmaster killed with SIGKILL leaves backends that hold the shared memory: they are waited for.
    """
    lock = instance.data / "postmaster.pid"
    if processes.running(instance, NAME):
        return
    for pid in _processes_in(instance.data):
        if _is_postmaster(pid):
            lifetime.terminate(pid, signal.SIGQUIT)
    deadline = time.monotonic() + ORPHAN_TIMEOUT_SECONDS
    while orphans := _processes_in(instance.data):
        if time.monotonic() > deadline:
            for pid in orphans:
                lifetime.terminate(pid, signal.SIGQUIT)
        time.sleep(lifetime.POLL_SECONDS)
    lock.unlink(missing_ok=True)


def _processes_in(directory: Path) -> list[int]:
    """List the server processes that work in a data directory, as all processes of its server do."""
    places = {str(directory), f"{directory} (deleted)"}
    found: list[int] = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):  # no process, somebody else's, or just gone
            pid = int(process.name)
            name = (process / "comm").read_text(encoding="utf-8").strip()
            if (
                name == "postgres"
                and str((process / "cwd").readlink()) in places
                and lifetime.start_time(pid)
            ):
                found.append(pid)
    return found


def _is_postmaster(pid: int) -> bool:
    """Whether this is the server itself; its children rename themselves to `postgres: …`."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(str(postgres.ROOT).encode())
    return False
