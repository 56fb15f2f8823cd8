"""Ending a process: gone means collected, too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local import lifetime

# Many threads take a while to end after the first one has.
THREADS = """
import threading, time
for _ in range(64):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "command", [["sh", "-c", "echo up; exec sleep 600"], [sys.executable, "-c", THREADS]], ids=["one", "many"]
)
def test_a_child_that_was_ended_leaves_no_zombie_however_it_dies(command: list[str]) -> None:
    for _ in range(20):  # it dies between two looks in a good part of them
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        with child.stdout as output:
            assert output.readline() == b"up\n"
        lifetime.adopt(child)
        lifetime.terminate(child.pid)
        assert child.returncode is not None
