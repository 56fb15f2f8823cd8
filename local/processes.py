"""Start, recognise and stop the programs of the stack.

A program runs detached and is recognised by its environment, which says whose it is, which part it is, and
what it was started from. So there is no file to be lost, cut off, or to name a number that by now belongs to
somebody else.
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local.config import private
from local.errors import PortTakenError, StackError
from local.network import can_bind, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from local.config import Instance

READY_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0
PORT_TIMEOUT_SECONDS = 75.0  # more than TIME_WAIT lasts
POLL_SECONDS = 0.05
OWNER, PART, FINGERPRINT = "FERSK_STATE_DIR", "FERSK_PART", "FERSK_FINGERPRINT"
logger = logging.getLogger(__name__)
_children: list[subprocess.Popen[bytes]] = []  # kept until their exit status is collected


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

    @property
    def fingerprint(self) -> str:
        """Changes when a restart would run something else than what runs now."""
        digest = hashlib.sha256(json.dumps([list(self.command), sorted(self.environment.items())]).encode())
        for source in sorted(self.sources):
            digest.update(source.read_bytes())
        return digest.hexdigest()


def running(instance: Instance, name: str) -> psutil.Process | None:
    """Return the live process that is this part of the instance, or None."""
    return all_running(instance).get(name)


def all_running(instance: Instance) -> dict[str, psutil.Process]:
    """Return the live processes of an instance, by part."""
    _collect()
    found: dict[str, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # somebody else's, or just gone
            environment = process.environ()
            is_ours = environment.get(OWNER) == str(instance.state_dir) and PART in environment
            if is_ours and not _is_inherited(process):
                found.setdefault(environment[PART], process)
    return found


def _is_inherited(process: psutil.Process) -> bool:
    """Whether a part started it: then it leads no session, or Postgres renamed it."""
    return os.getsid(process.pid) != process.pid or " ".join(process.cmdline()).startswith("postgres: ")


def is_current(instance: Instance, program: Program) -> bool:
    """Whether exactly this program runs and is ready."""
    process = running(instance, program.name)
    with contextlib.suppress(psutil.Error):
        return bool(process and process.environ()[FINGERPRINT] == program.fingerprint and program.ready())
    return False


def ensure(instance: Instance, program: Program) -> None:
    """Start a program unless it runs as it should; one that is outdated or stuck is replaced."""
    if not is_current(instance, program):
        stop(instance, program.name)
        start(instance, program)


def start(instance: Instance, program: Program) -> None:
    """Start a program and wait until it is ready.

    Raises PortTakenError if a port is taken, StackError if it ends or does not become ready in time.
    """
    for port in program.ports:
        require_free(program.name, port)
    marks = {OWNER: str(instance.state_dir), PART: program.name, FINGERPRINT: program.fingerprint}
    log = instance.logs / f"{program.name}.log"
    with private(log).open("ab") as output:
        process = subprocess.Popen(
            program.command,
            cwd=program.cwd,
            env={**program.environment, **marks},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=program.user,
            group=program.user,
            extra_groups=[] if program.user else None,
        )
    _children.append(process)
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
    if process is not None:
        end([process], stop_signal)
    return process is not None


def end(processes: Iterable[psutil.Process], stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask processes to end, insist after a while, and wait until they are gone."""
    left = list(processes)
    for wanted in (stop_signal, signal.SIGKILL):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(wanted)
        _, left = psutil.wait_procs(left, timeout=STOP_TIMEOUT_SECONDS)
    _collect()
    if left:
        raise StackError(f"process {left[0].pid} does not end")


def _collect() -> None:
    """Collect the exit status of children that ended, so that no zombie stays behind."""
    _children[:] = [child for child in _children if child.poll() is None]


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
            raise PortTakenError(f"port {port}, which {name} needs, is taken by {holder}")
        if time.monotonic() > deadline:
            raise PortTakenError(f"port {port}, which {name} needs, is the local end of another connection")
        if not is_told:
            logger.warning("port %d is the local end of a connection: waiting, a minute at most", port)
            is_told = True
        time.sleep(POLL_SECONDS)
