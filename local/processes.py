"""Start, recognise and stop the programs of the stack.

A program runs detached, in a session of its own, with a pid file that also holds its start time: the pid
alone may by now belong to somebody else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.config import private
from local.errors import PortTakenError, StackError
from local.lifetime import POLL_SECONDS, adopt, reap, start_time, terminate
from local.network import can_bind, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.config import Instance

READY_TIMEOUT_SECONDS = 60.0
PORT_TIMEOUT_SECONDS = 75.0  # more than TIME_WAIT lasts
logger = logging.getLogger(__name__)
MARK = "FERSK_STATE_DIR"  # in the environment of each process: tells whose it is when the pid file is lost


@dataclass(frozen=True)
class Program:
    """How one part of the stack is run.

    ready   : asked until it says yes; must not raise.
    ports   : what it listens on, checked before it is started.
    sources : files whose change makes a running process outdated.
    user    : system user to run as (root only), None for the current one.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    ports: Sequence[int] = ()
    sources: Sequence[Path] = ()
    cwd: Path = Path("/")
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def fingerprint(self) -> str:
        """Changes when a restart would run something else than what runs now."""
        digest = hashlib.sha256(json.dumps([list(self.command), sorted(self.environment.items())]).encode())
        for source in sorted(self.sources):
            digest.update(source.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Running:
    """A live process of ours."""

    pid: int
    fingerprint: str = field(repr=False)


def running(instance: Instance, name: str) -> Running | None:
    """Return the live process that the pid file of this part points to, or None; a stale file is removed."""
    file = instance.pids / f"{name}.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        pid, started, fingerprint = int(record["pid"]), str(record["started"]), str(record["fingerprint"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # cut off while it was written
        file.unlink()
        return None
    if start_time(pid) == started:
        return Running(pid, fingerprint)
    reap(pid)
    file.unlink()
    return None


def is_current(instance: Instance, program: Program) -> bool:
    """Whether exactly this program runs and is ready."""
    process = running(instance, program.name)
    return process is not None and process.fingerprint == program.fingerprint and program.ready()


def ensure(instance: Instance, program: Program) -> None:
    """Start a program unless it runs as it should; one that is outdated or stuck is replaced."""
    if not is_current(instance, program):
        stop(instance, program.name, program.stop_signal)
        start(instance, program)


def start(instance: Instance, program: Program) -> None:
    """Start a program and wait until it is ready.

    Raises PortTakenError if a port is taken, StackError if it ends or does not become ready in time.
    """
    for port in program.ports:
        require_free(program.name, port)
    log = instance.logs / f"{program.name}.log"
    with private(log).open("ab") as output:
        process = subprocess.Popen(
            program.command,
            cwd=program.cwd,
            env={**program.environment, MARK: str(instance.state_dir)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=program.user,
            group=program.user,
            extra_groups=[] if program.user else None,
        )
    adopt(process)
    record = {"pid": process.pid, "started": start_time(process.pid), "fingerprint": program.fingerprint}
    private(instance.pids / f"{program.name}.json").write_text(json.dumps(record), encoding="utf-8")
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while not program.ready():
        status = process.poll()
        if status is not None:
            raise StackError(f"{program.name} ended with status {status} instead of starting", log=log)
        if time.monotonic() > deadline:
            raise StackError(f"{program.name} was not ready within {READY_TIMEOUT_SECONDS:.0f} s", log=log)
        time.sleep(POLL_SECONDS)


def stop(instance: Instance, name: str, stop_signal: signal.Signals = signal.SIGTERM) -> bool:
    """Stop a part and wait until it is gone. Returns False if it was not running."""
    process = running(instance, name)
    if process is None:
        return False
    terminate(process.pid, stop_signal)
    (instance.pids / f"{name}.json").unlink(missing_ok=True)
    return True


def sweep(instance: Instance) -> None:
    """End processes of this instance that no pid file knows, for instance because the files were deleted.

    Postgres is left out: `cluster` knows its server by the data directory.
    """
    files = instance.pids.glob("*.json")
    known = {process.pid for file in files if (process := running(instance, file.stem))}
    mark = f"{MARK}={instance.state_dir}".encode()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):  # no process, somebody else's, or just gone
            pid = int(entry.name)
            name = (entry / "comm").read_text(encoding="utf-8").strip()
            # The children of a known process are in its session.
            is_known = os.getsid(pid) in known or name == "postgres"
            if not is_known and mark in (entry / "environ").read_bytes().split(b"\0"):
                terminate(pid)


def require_free(name: str, port: int) -> None:
    """Make sure that a port can be listened on; raises PortTakenError naming the process that does.

    The usual ports lie where the kernel picks the local ends of connections, too. One of those blocks the
    port, for up to a minute after it was closed: that is waited for.
    """
    deadline = time.monotonic() + PORT_TIMEOUT_SECONDS
    is_told = False
    while not can_bind(port):
        holder = holder_of(port)
        if holder is not None:
            raise PortTakenError(f"port {port}, which {name} needs, is taken by {holder.description}")
        if time.monotonic() > deadline:
            raise PortTakenError(f"port {port}, which {name} needs, is the local end of another connection")
        if not is_told:
            logger.warning("port %d is the local end of a connection: waiting, a minute at most", port)
            is_told = True
        time.sleep(POLL_SECONDS)
