"""Servers as processes: how long until the first answer, how much memory, how many modules."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local.network import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.functions_jobs import Command, ToPort
    from bench.load import Requests

START_SECONDS = 30.0


@contextmanager
def running(
    command: list[str], variables: Mapping[str, str], port: int, errors: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    with errors.open("wb") if errors else contextlib.nullcontext(subprocess.DEVNULL) as stderr:
        process = subprocess.Popen(
            command,
            env={**variables, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        yield process
    finally:
        family = _family(process)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            for each in family:
                with contextlib.suppress(psutil.Error):
                    each.kill()
            process.wait()


def first_answer(port: int, requests: Requests, process: subprocess.Popen[bytes]) -> None:
    """Wait for the server to listen, and for the first answer, which must be a 200."""
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) != 0:
                time.sleep(0.001)
                continue
            connection.settimeout(START_SECONDS)
            connection.sendall(requests())
            answer = connection.recv(64)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{process.args!r} answered {answer!r}")
            return
    raise RuntimeError(f"{process.args!r} did not answer in time")


def cold_start(command: Command, variables: Mapping[str, str], requests: ToPort) -> tuple[float, float]:
    """Start a server and end it. Returns milliseconds from exec to the first answer, and MiB afterwards."""
    port = free_port()
    started = time.perf_counter()
    with running(command(port), variables, port) as process:
        first_answer(port, requests(port), process)
        return (time.perf_counter() - started) * 1000, memory(process)


def bare_interpreter(python: Path) -> float:
    """Return the milliseconds of a Python that does nothing."""
    started = time.perf_counter()
    subprocess.run([str(python), "-c", "pass"], check=True)
    return (time.perf_counter() - started) * 1000


def memory(process: subprocess.Popen[bytes]) -> float:
    """Return the MiB of a process and its children; what several share is shared among them (PSS)."""
    kib = 0
    for each in _family(process):
        for line in Path(f"/proc/{each.pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib / 1024


def modules(command: Command, variables: Mapping[str, str], requests: ToPort, log: Path) -> set[str]:
    """Return the Python modules that a server has loaded when it has given its first answer."""
    port = free_port()
    with running(command(port), {**variables, "PYTHONPROFILEIMPORTTIME": "1"}, port, log) as process:
        first_answer(port, requests(port), process)
    lines = log.read_text(encoding="utf-8").splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")} - {
        "imported package"
    }


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
