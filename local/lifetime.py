"""Whether a process lives, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import StackError

if TYPE_CHECKING:
    import subprocess

STOP_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05

_children: dict[int, subprocess.Popen[bytes]] = {}


def adopt(child: subprocess.Popen[bytes]) -> None:
    """Remember a child of this very process, so that its exit status is collected when it ends."""
    _children[child.pid] = child


def terminate(pid: int, stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask a process to end, insist after a while, and wait until it is gone."""
    started = start_time(pid)
    for wanted in (stop_signal, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, wanted)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if started is None or start_time(pid) != started:
                reap(pid)
                return
            time.sleep(POLL_SECONDS)
    raise StackError(f"process {pid} does not end")


def start_time(pid: int) -> str | None:
    """Return a mark that no later process with the same pid has, or None if there is no live process.

    It joins the boot with the kernel's start time (clock ticks since boot). A zombie counts as gone, unless
    threads of it still end: until then its exit status cannot be collected, and its ports are not free.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *columns = stat.rpartition(")")[2].split()  # the name in parentheses may itself hold blanks
    threads = int(columns[16])
    if state == "X" or (state == "Z" and threads <= 1):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{columns[18]}"


def reap(pid: int) -> None:
    """Collect the exit status if the process is a child of this one, so that no zombie stays behind."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
