"""What a newcomer types, in a clone with a stack of its own on a port they chose."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from _shared.http.loading import NAMES
from local import migrations, processes
from local.config import Ports
from local.network import can_bind, holder_of
from local.stack import Stack
from tests.support.clone import NEED_A_STACK, Clone
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


LOGS = ("local", "logs")


def free_gateway_port() -> int:
    """A port that nobody has, as little as those that follow it."""
    candidates = range(20000 + os.getpid() % 100 * 100, 32000, 20)
    return next(p for p in candidates if all(map(can_bind, vars(Ports.from_gateway(p)).values())))


@dataclass(frozen=True)
class Newcomer:
    clone: Clone
    port: int
    printed: str

    @property
    def stack(self) -> Stack:
        return Stack(self.clone.root / ".stack", project=self.clone.root)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    clone, port = Clone.make(tmp_path_factory.mktemp("newcomer")), free_gateway_port()
    try:
        done = clone.run("local", "start", "--port", str(port))
        assert done.returncode == 0, done.stderr
        yield Newcomer(clone, port, done.stdout)
    finally:
        assert clone.run("local", "destroy").returncode == 0


@pytest.fixture
def started(newcomer: Newcomer) -> Newcomer:
    """Give it running, whatever the test before did: on the ports it has, which nobody repeats."""
    done = newcomer.clone.run("local", "start")
    assert done.returncode == 0, done.stderr
    return newcomer


def test_the_summary_begins_with_the_console(started: Newcomer) -> None:
    summary = started.printed.partition("\n\n")[2].splitlines()
    assert summary[0] == f"Console: http://127.0.0.1:{started.port}/"
    page = httpx.get(summary[0].partition(" ")[2])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_all_that_is_printed_follows_the_port(started: Newcomer) -> None:
    ports = set(map(int, re.findall(r"127\.0\.0\.1:(\d+)", started.printed)))
    assert ports == {started.port, started.port + 1}
    example = started.printed[started.printed.index("TOKEN=") :]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example], capture_output=True, text=True, check=True
    )
    assert '"activity_count"' in done.stdout


def test_later_commands_find_the_ports(started: Newcomer) -> None:
    assert started.stack.instance.ports == Ports.from_gateway(started.port)
    done = started.clone.run("local", "status")
    assert done.returncode == 0, done.stderr
    assert f"Console: http://127.0.0.1:{started.port}/\n" in done.stdout
    done = started.clone.run("local", "psql", "-At", "-c", "select 6 * 7")
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_all_functions_are_served_by_one_more_process(started: Newcomer) -> None:
    bind = f"127.0.0.1:{next(port for port in range(started.port + 10, 40000) if can_bind(port))}"
    clone = started.clone
    with subprocess.Popen(
        clone.command("local", "functions", "--bind", bind),
        cwd=clone.root,
        env=clone.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert '"started"' in process.stdout.readline()
            http = httpx.Client(transport=httpx.HTTPTransport(retries=5), trust_env=False)
            with http:
                assert http.get(f"http://{bind}/ready").status_code == 200
                served = http.get(f"http://{bind}/health").json()["functions"]
                assert {name.replace("-", "_") for name in served} == set(NAMES)
                health = f"http://{bind}/functions/v1/health"
                # a stack that was down for long is degraded until its first sweep, which comes every minute
                eventually(lambda: http.get(health).json()["data"]["status"] == "ready", seconds=90)
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGTERM  # as it was told, once what it was at was done


def test_another_port_moves_a_running_stack(started: Newcomer) -> None:
    port = free_gateway_port()
    done = started.clone.run("local", "start", "--port", str(port))
    assert done.returncode == 0, done.stderr
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    assert [p for p in vars(Ports.from_gateway(started.port)).values() if holder_of(p)] == []
    done = started.clone.run("local", "start", "--port", str(started.port))
    assert done.returncode == 0, done.stderr
    assert httpx.get(f"http://127.0.0.1:{started.port}/health").status_code == 200


@pytest.mark.parametrize("words", [words for words in NEED_A_STACK if words != LOGS], ids=" ".join)
def test_a_stopped_stack_is_not_running(started: Newcomer, words: tuple[str, ...]) -> None:
    assert started.clone.run("local", "stop").returncode == 0
    stored = (started.clone.root / ".stack" / "stack.env").read_bytes()
    done = started.clone.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: not running: make start\n")
    assert (started.clone.root / ".stack" / "stack.env").read_bytes() == stored


def test_logs_of_a_stopped_stack_are_there_to_be_read(started: Newcomer) -> None:
    assert started.clone.run("local", "stop").returncode == 0
    done = started.clone.run("local", "logs", "postgres")
    assert (done.returncode, "database system is shut down" in done.stdout) == (0, True)


def test_a_killed_database_is_not_running_whatever_its_file_says(started: Newcomer) -> None:
    found = processes.running(started.stack.instance, "postgres")
    assert found is not None
    os.kill(found.pid, signal.SIGQUIT)
    while processes.running(started.stack.instance, "postgres"):
        pass
    done = started.clone.run("local", "psql", "-c", "select 1")
    assert (done.returncode, done.stderr) == (1, "error: not running: make start\n")
    done = started.clone.run("local", "status")
    assert (done.returncode, "down postgres" in done.stdout) == (1, True)


def test_commands_work_on_a_running_stack(started: Newcomer) -> None:
    done = started.clone.run("tools.large.seed", "--rows=5")
    assert (done.returncode, done.stdout.startswith("5 activities in nhf-large")) == (0, True), done.stderr
    done = started.clone.run("tools.alignment")
    assert done.returncode == 0, done.stdout
    done = started.clone.run("local", "logs", "-n", "1", "gateway")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def latest(started: Newcomer) -> Iterator[str]:
    """Give the clone one more migration: a table, a column and rows that its rollback takes away."""
    name = "29990101000000_create_rooms.sql"
    up, down = (started.clone.root / "supabase" / folder / name for folder in ("migrations", "rollbacks"))
    up.write_text(
        "create table public.rooms (id integer); insert into public.rooms values (1), (2), (3);\n"
        "alter table public.organizations add column room integer;\n"
        "update public.organizations set room = 1 where slug in ('nhf', 'hlf');\n"
        "insert into public.bufdir_thresholds (organization_id, valid_from_year, bufdir_category_code,"
        " minimum_activity_count) select id, 2001, 'ROOM', 1 from public.organizations where room = 1;\n"
        "create function public.rooms_left() returns integer language sql as 'select 1';\n",
        encoding="utf-8",
    )
    down.write_text(
        "drop function if exists public.rooms_left();\ndrop table if exists public.rooms;\n"
        "alter table public.organizations drop column if exists room;\n"
        "delete from public.bufdir_thresholds where bufdir_category_code = 'ROOM';\n"
        "delete from public.bufdir_thresholds where false;\n",
        encoding="utf-8",
    )
    try:
        done = started.clone.run("local", "start")
        assert done.returncode == 0, done.stderr
        yield name
    finally:
        started.clone.run("local", "rollback", "--yes")
        up.unlink(missing_ok=True)
        down.unlink(missing_ok=True)


LOSS = """supabase/rollbacks/29990101000000_create_rooms.sql undoes migration 29990101000000
  lost: table public.rooms: 3 rows
  lost: column public.organizations.room: 2 values
  lost: in public.bufdir_thresholds: 2 rows
  gone, and made again by the migration: 1 function
"""


def is_applied(newcomer: Newcomer) -> bool:
    with psycopg.connect(newcomer.stack.db_url) as connection:
        row = connection.execute("select to_regclass('public.rooms') is not null").fetchone()
    assert row is not None
    assert ("29990101000000" in migrations.applied(newcomer.stack.db_url)) is row[0]
    return bool(row[0])


@pytest.mark.usefixtures("latest")
def test_a_rollback_without_a_terminal_needs_a_yes(started: Newcomer) -> None:
    done = started.clone.run("local", "rollback")
    refused = "error: nothing was undone: without a terminal it takes YES=1, as in `make rollback YES=1`\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, LOSS, refused)
    assert is_applied(started) is True
    done = started.clone.run("local", "rollback", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{LOSS}rolled back 29990101000000\n", "")
    assert is_applied(started) is False


@pytest.mark.usefixtures("latest")
@pytest.mark.parametrize(
    ("typed", "status", "last"),
    [
        ("\n", 1, "nothing was undone"),
        ("n\n", 1, "nothing was undone"),
        ("\x04", 1, "nothing was undone"),
        ("y\n", 0, "rolled back 29990101000000"),
    ],
    ids=["enter", "no", "end-of-input", "yes"],
)
def test_a_rollback_asks_on_a_terminal(started: Newcomer, typed: str, status: int, last: str) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        done = subprocess.run(
            started.clone.command("local", "rollback"),
            cwd=started.clone.root,
            env=started.clone.environment,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == status, done.stderr
    assert done.stdout.startswith(f"{LOSS}Undo it? [y/N] ")
    assert done.stdout.splitlines()[-1].endswith(last)
    assert is_applied(started) is (status == 1)


@pytest.mark.usefixtures("latest")
def test_a_rollback_that_would_fail_is_told_before_anything_is_asked(started: Newcomer) -> None:
    with psycopg.connect(started.stack.db_url, autocommit=True) as connection:
        connection.execute("create view public.rooms_in_use as select id from public.rooms")
        done = started.clone.run("local", "rollback", "--yes")
        connection.execute("drop view public.rooms_in_use")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "error: nothing was undone: rollback 29990101000000_create_rooms.sql would fail: cannot drop table"
        " rooms because other objects depend on it\n"
    )
    assert is_applied(started) is True


def test_ctrl_c_in_a_start_is_one_line_and_the_next_start_goes_on(newcomer: Newcomer) -> None:
    assert newcomer.clone.run("local", "stop").returncode == 0
    command = newcomer.clone.command("local", "start")
    with subprocess.Popen(
        ["bash", "-c", 'trap : INT; "$@"; echo "status $?"', "bash", *command],
        cwd=newcomer.clone.root,
        env={**newcomer.clone.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as starting:
        assert starting.stdout is not None
        first = starting.stdout.readline()
        assert first.startswith("✓ Postgres on")
        os.killpg(starting.pid, signal.SIGINT)  # as a terminal sends it
        output, errors = starting.communicate(timeout=60)
    assert output.splitlines()[-1] == "status 130"
    assert errors == "interrupted\n"
    done = newcomer.clone.run("local", "start")
    assert done.returncode == 0, done.stderr
