"""Programs are recognised by their environment; ports, and who is in their way."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from local import processes
from local.config import Instance, Ports, open_instance
from local.errors import StackError
from local.network import answers, can_bind, holder_of
from local.processes import OWNER, PART, Program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = "import time; time.sleep(600)"
# Many threads take a while to end after the first one has.
THREADS = """
import threading, time
for _ in range(64):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    found, _ = open_instance(tmp_path / "state", Ports.free())
    yield found
    processes.end(processes.all_running(found).values())


def program(script: str, **environment: str) -> Program:
    return Program("part", [sys.executable, "-c", script], environment, ready=lambda: True)


def test_a_started_program_is_recognised_until_it_is_stopped(instance: Instance) -> None:
    processes.start(
        instance, program(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])")
    )
    found = running(instance, "part")
    assert found is not None
    deadline = time.monotonic() + 10
    while not (children := found.children()):
        assert time.monotonic() < deadline
    assert list(processes.all_running(instance).values()) == [found], "not what it started itself"
    assert processes.stop(instance, "part") is True
    processes.end(children)
    assert running(instance, "part") is None
    assert processes.stop(instance, "part") is False


def test_a_program_that_changed_is_replaced_and_one_that_did_not_is_kept(instance: Instance) -> None:
    processes.ensure(instance, program(SLEEPER))
    first = running(instance, "part")
    processes.ensure(instance, program(SLEEPER))
    assert running(instance, "part") == first
    processes.ensure(instance, program(SLEEPER, SETTING="new"))
    second = running(instance, "part")
    assert first
    assert second
    assert (second == first, first.is_running()) == (False, False)


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(instance: Instance) -> None:
    script = "import sys, time; print('no such setting'); sys.exit(3)"
    with pytest.raises(StackError) as refused:
        processes.start(instance, replace(program(script), ready=lambda: False))
    assert str(refused.value).startswith("part ended with status 3 instead of starting")
    assert str(refused.value).endswith("no such setting")


def test_a_program_of_another_instance_is_nobody_of_ours(instance: Instance) -> None:
    command, marks = [sys.executable, "-c", SLEEPER], {PART: "part"}
    with (
        subprocess.Popen(
            command, env={**marks, OWNER: str(instance.state_dir)}, start_new_session=True
        ) as lost,
        subprocess.Popen(
            command, env={**marks, OWNER: f"{instance.state_dir}-2"}, start_new_session=True
        ) as foreign,
    ):
        try:
            found = running(instance, "part")
            assert found is not None
            assert found.pid == lost.pid
            processes.stop(instance, "part")
            assert lost.wait(timeout=5) <= 0
            assert foreign.poll() is None
        finally:
            lost.kill()
            foreign.kill()


@pytest.mark.parametrize("script", [SLEEPER, THREADS], ids=["one-thread", "many"])
def test_a_child_that_was_ended_leaves_no_zombie_however_it_dies(instance: Instance, script: str) -> None:
    for wanted in (signal.SIGTERM, signal.SIGKILL) * 5:  # it dies between two looks in a good part of them
        processes.start(instance, program(script))
        found = running(instance, "part")
        assert found is not None
        processes.end([found], wanted)
        assert not psutil.pid_exists(found.pid)


def test_a_port_that_is_the_end_of_a_connection_is_waited_for(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    port = instance.ports.rest
    reset = struct.pack("ii", 1, 0)  # closed at once, without the minute that a port usually stays reserved
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as connection:
        connection.bind(("127.0.0.1", port))
        connection.connect(server.getsockname())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        assert can_bind(port) is False
        assert holder_of(port) is None
        release = threading.Timer(0.3, connection.close)
        release.start()
        processes.start(instance, replace(program(SLEEPER), ports=[port]))
        release.join()
    assert running(instance, "part") is not None
    assert caplog.messages == [f"port {port} is the local end of a connection: waiting, a minute at most"]


@pytest.mark.parametrize(
    ("address", "is_in_the_way"),
    [("127.0.0.1", True), ("0.0.0.0", True), ("::", True), ("127.0.0.2", False), ("::1", False)],  # noqa: S104
)
def test_the_holder_of_a_port_is_named_while_it_keeps_loopback_from_us(
    address: str, *, is_in_the_way: bool
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family, dualstack_ipv6=address == "::") as server:
        port = server.getsockname()[1]
        holder = holder_of(port)
        assert (holder is not None, can_bind(port)) == (is_in_the_way, not is_in_the_way)
        if holder is not None:
            assert holder.startswith(f"process {os.getpid()} (")
            assert answers(f"http://127.0.0.1:{port}/", timeout_seconds=0.05) is False
    assert holder_of(port) is None


def test_free_ports_differ_and_are_free() -> None:
    ports = list(vars(Ports.free()).values())
    assert len(set(ports)) == len(ports)
    assert [holder_of(port) for port in ports] == [None] * len(ports)
