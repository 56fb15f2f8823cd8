"""Recognising a process by more than its number."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local import processes
from local.config import Instance, Ports, open_instance
from local.errors import StackError
from local.lifetime import start_time
from local.network import can_bind, holder_of
from local.processes import MARK, Program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    found, _ = open_instance(tmp_path / "state", Ports.free())
    yield found
    processes.stop(found, "part")
    processes.sweep(found)


def program(script: str, **environment: str) -> Program:
    return Program("part", [sys.executable, "-c", script], environment, ready=lambda: True)


SLEEPER = "import time; time.sleep(600)"


def test_a_started_program_is_recognised_until_it_is_stopped(instance: Instance) -> None:
    processes.start(instance, program(SLEEPER))
    found = running(instance, "part")
    assert found is not None
    assert start_time(found.pid) is not None
    assert processes.stop(instance, "part") is True
    assert start_time(found.pid) is None
    assert processes.stop(instance, "part") is False


def test_the_same_number_with_another_start_is_somebody_else(instance: Instance) -> None:
    file = instance.pids / "part.json"
    own = {"pid": os.getpid(), "started": start_time(os.getpid()), "fingerprint": "f"}
    file.write_text(json.dumps(own), encoding="utf-8")
    assert running(instance, "part") is not None
    file.write_text(json.dumps({**own, "started": "another boot:1"}), encoding="utf-8")
    assert running(instance, "part") is None
    assert not file.exists()


def test_a_program_that_changed_is_replaced_and_one_that_did_not_is_kept(instance: Instance) -> None:
    processes.ensure(instance, program(SLEEPER))
    first = running(instance, "part")
    processes.ensure(instance, program(SLEEPER))
    assert running(instance, "part") == first
    processes.ensure(instance, program(SLEEPER, SETTING="new"))
    second = running(instance, "part")
    assert first is not None
    assert second is not None
    assert second.pid != first.pid
    assert start_time(first.pid) is None


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(instance: Instance) -> None:
    script = "import sys, time; print('no such setting'); sys.exit(3)"
    ending = Program("part", [sys.executable, "-c", script], {}, ready=lambda: False)
    with pytest.raises(StackError) as refused:
        processes.start(instance, ending)
    assert str(refused.value).startswith("part ended with status 3 instead of starting")
    assert str(refused.value).endswith("no such setting")


def test_a_sweep_ends_what_no_pid_file_knows_and_nothing_else(instance: Instance) -> None:
    processes.start(instance, program(SLEEPER))
    known = running(instance, "part")
    command = [sys.executable, "-c", SLEEPER]
    with (
        subprocess.Popen(command, env={MARK: str(instance.state_dir)}) as lost,
        subprocess.Popen(command, env={MARK: f"{instance.state_dir}-of-another"}) as foreign,
    ):
        try:
            processes.sweep(instance)
            assert lost.wait(timeout=5) < 0
            assert foreign.poll() is None
        finally:
            lost.kill()
            foreign.kill()
    assert running(instance, "part") == known


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
