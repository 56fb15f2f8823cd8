"""Commands in a clone in which nothing was ever started, and Ctrl-C: one line, no traceback, no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from local import command
from local.requirements import ROOT
from tests.support.clone import NEED_A_STACK, Clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.make(tmp_path_factory.mktemp("clone"))


@pytest.mark.parametrize("words", NEED_A_STACK, ids=" ".join)
def test_a_command_that_needs_a_running_stack_says_so_and_creates_nothing(
    clone: Clone, words: tuple[str, ...]
) -> None:
    done = clone.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: not running: make start\n")
    assert list(clone.root.glob(".stack*")) == []


@pytest.mark.parametrize("word", ["stop", "destroy"])
def test_what_never_ran_can_be_stopped_and_that_creates_nothing(clone: Clone, word: str) -> None:
    done = clone.run("local", word)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(clone.root.glob(".stack*")) == []


def test_ports_that_cannot_be_are_refused_and_nothing_is_created(clone: Clone) -> None:
    done = clone.run("local", "start", "--port", "80")
    expected = "error: port 80 is not possible: choose one from 1024 to 65524\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
    done = clone.run("local", "start", "--engine", "docker", "--port", "55321")
    expected = "error: supabase/config.toml names the containers' ports, not PORT=\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
    assert list(clone.root.glob(".stack*")) == []


def test_a_database_that_does_not_answer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def connect() -> int:
        psycopg.connect("postgresql://127.0.0.1:1/postgres")
        return 0

    assert command.run(connect) == 1
    assert capsys.readouterr().err.startswith("error: connection ")


@pytest.mark.parametrize("module", ["local", "tools.large.seed"])
def test_ctrl_c_is_one_line_and_what_a_shell_sees_as_130(module: str) -> None:
    script = f"import {module}; raise KeyboardInterrupt"
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "interrupted\n")
    shell = subprocess.run(
        ["bash", "-c", '"$@"; echo $?', "bash", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (shell.stdout, shell.stderr) == ("130\n", "interrupted\n")


def test_any_other_error_is_a_traceback_as_ever() -> None:
    words = [sys.executable, "-c", "import local; raise ValueError('a mistake')"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ValueError: a mistake\n")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (("start",), "-m local start --engine embedded"),
        (("start", "PORT=55321"), "-m local start --engine embedded --port 55321"),
        (("rollback",), "-m local rollback"),
        (("rollback", "YES=1"), "-m local rollback --yes"),
        (("rollback", "YES=0"), "-m local rollback"),
    ],
    ids=str,
)
def test_make_passes_on_what_was_chosen(target: tuple[str, ...], expected: str) -> None:
    # Not what a make around this test hands down; and PORT of the environment is often somebody else's.
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", *target],
        env={**known, "PORT": "8080"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].rstrip().endswith(expected)
