"""The stack itself: starts, recovers, stands beside another, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jwt
import psycopg
import pytest

from local import migrations, summary
from local.config import Ports
from local.errors import StackError
from local.lifetime import POLL_SECONDS, start_time, terminate
from local.network import holder_of
from local.requirements import ROOT
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("postgres", "rest", "gateway", "functions", "pg_net")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack that tests may break, beside the one of the session."""
    stack = Stack(tmp_path_factory.mktemp("own") / "state", Ports.free())
    try:
        stack.start()
        yield stack
    finally:
        stack.destroy()


@pytest.fixture
def started(own: Stack) -> Stack:
    """Give it with all parts running, whatever the test before did."""
    own.start()
    return own


def pids(stack: Stack) -> dict[str, int]:
    """Process number of each part, from the pid files."""
    files = {part: stack.instance.pids / f"{part}.json" for part in PARTS}
    return {part: json.loads(file.read_text(encoding="utf-8"))["pid"] for part, file in files.items()}


def count_activities(stack: Stack) -> int:
    with psycopg.connect(stack.db_url) as connection:
        row = connection.execute("select count(*) from public.activities").fetchone()
    assert row is not None
    return int(row[0])


def test_all_parts_run_and_answer(started: Stack) -> None:
    assert started.status() == dict.fromkeys(PARTS, True)


def test_starting_again_changes_nothing(started: Stack) -> None:
    before, activities = pids(started), count_activities(started)
    assert activities > 0, "the seed was loaded"
    Stack(started.instance.state_dir, started.instance.ports).start()
    assert pids(started) == before
    assert count_activities(started) == activities


def test_two_stacks_run_side_by_side(stack: Stack, started: Stack) -> None:
    assert stack.status() == started.status() == dict.fromkeys(PARTS, True)
    assert set(pids(stack).values()).isdisjoint(pids(started).values())
    assert stack.secret_key != started.secret_key
    own_key = httpx.get(f"{started.rest_url}/organizations", headers={"apikey": started.secret_key})
    foreign_key = httpx.get(f"{started.rest_url}/organizations", headers={"apikey": stack.secret_key})
    assert (own_key.status_code, foreign_key.status_code) == (200, 401)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_started_again_and_the_others_are_left_alone(started: Stack, part: str) -> None:
    before = pids(started)
    terminate(before[part], signal.SIGKILL)
    assert started.status()[part] is False
    started.start()
    after = pids(started)
    assert started.status() == dict.fromkeys(PARTS, True)
    replaced = {name for name in PARTS if after[name] != before[name]}
    # Without its database a part may be found wanting and be replaced, too.
    assert replaced == {part} or (part == "postgres" and part in replaced)


def test_a_crash_of_postgres_loses_nothing_that_was_committed(started: Stack) -> None:
    with psycopg.connect(started.db_url) as connection:
        connection.execute("create table public.crash_test as select 1 as value")
    started.stop_postgres(immediate=True)
    started.start_postgres()
    with psycopg.connect(started.db_url) as connection:
        assert connection.execute("select value from public.crash_test").fetchone() == (1,)
        connection.execute("drop table public.crash_test")


def test_a_pid_that_now_belongs_to_somebody_else_is_never_killed(started: Stack) -> None:
    started.stop()
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            record = {"pid": bystander.pid, "started": "another boot:1", "fingerprint": ""}
            for part in PARTS:
                (started.instance.pids / f"{part}.json").write_text(json.dumps(record), encoding="utf-8")
            lock = started.instance.data / "postmaster.pid"
            lock.write_text(f"{bystander.pid}\n{started.instance.data}\n", encoding="utf-8")
            started.start()
            started.stop()
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_pid_file_that_was_cut_off_is_replaced(started: Stack) -> None:
    (started.instance.pids / "gateway.json").write_text('{"pid": 1', encoding="utf-8")
    started.start()
    assert started.status() == dict.fromkeys(PARTS, True)


def test_a_taken_port_is_named_with_the_process_that_holds_it(started: Stack) -> None:
    started.stop()
    port = started.instance.ports.rest
    listen = f"s = socket.create_server(('0.0.0.0', {port})); print('up', flush=True)"
    script = f"import socket, time; {listen}; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "up\n"
            with pytest.raises(StackError) as refused:
                started.start()
        finally:
            holder.kill()
    expected = (
        f"port {port}, which rest needs, is taken by process {holder.pid} ({sys.executable} -c import socket"
    )
    assert str(refused.value).startswith(expected)
    way_out = re.search(r"\nchoose others: make start PORT=(\d+)$", str(refused.value))
    assert way_out is not None
    assert [p for p in vars(Ports.from_gateway(int(way_out[1]))).values() if holder_of(p)] == []
    started.start()
    assert started.status() == dict.fromkeys(PARTS, True)


def test_a_stack_whose_state_was_deleted_while_it_ran_starts_anew(tmp_path: Path) -> None:
    lost = Stack(tmp_path / "state", Ports.free())
    lost.start()
    old = pids(lost)
    shutil.rmtree(lost.instance.state_dir)
    found = Stack(lost.instance.state_dir, lost.instance.ports)
    try:
        assert found.secret_key != lost.secret_key
        found.start()
        assert found.status() == dict.fromkeys(PARTS, True)
        assert count_activities(found) > 0
        assert [part for part, pid in old.items() if start_time(pid)] == []
    finally:
        found.destroy()


def test_destroying_leaves_no_process_no_port_and_no_file(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "state", Ports.free())
    stack.start()
    processes = pids(stack)
    stack.destroy()
    assert [part for part, pid in processes.items() if start_time(pid)] == []
    ports = vars(stack.instance.ports).values()
    assert [port for port in ports if holder_of(port)] == []
    assert not stack.instance.state_dir.exists()
    assert not stack.instance.data.exists()


def test_everything_listens_on_the_loopback_address_only(started: Stack) -> None:
    for port in vars(started.instance.ports).values():
        addresses = {
            line.split()[1].partition(":")[0]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        }
        assert addresses == {"0100007F"}, port


def test_secrets_are_readable_by_their_owner_only_and_kept(started: Stack) -> None:
    file = started.instance.state_dir / "stack.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text(encoding="utf-8")
    started.start()
    assert file.read_text(encoding="utf-8") == before


def test_no_secret_stands_in_a_command_line(started: Stack) -> None:
    secrets = vars(started.instance.secrets).values()
    for pid in pids(started).values():
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
        assert command
        assert not any(secret in command for secret in secrets)


def test_no_secret_stands_in_a_log(started: Stack) -> None:
    logs = {file.name: file.read_text(encoding="utf-8") for file in started.instance.logs.iterdir()}
    assert "postgres.log" in logs
    for name, text in logs.items():
        assert not any(secret in text for secret in vars(started.instance.secrets).values()), name


def test_legacy_keys_carry_their_roles(started: Stack) -> None:
    for key, role in ((started.anon_key, "anon"), (started.service_role_key, "service_role")):
        assert jwt.decode(key, started.jwt_secret, algorithms=["HS256"])["role"] == role


def test_postgres_is_no_superuser_and_may_still_create_listed_extensions(started: Stack) -> None:
    with psycopg.connect(started.db_url) as connection:
        rights = connection.execute("""
            select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls
            from pg_roles where rolname = current_user
        """).fetchone()
        assert rights == (False, True, True, True)
        connection.execute("create extension pgtap with schema extensions")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match='create extension "file_fdw"'):
            connection.execute("create extension file_fdw")
        connection.rollback()


def test_the_api_serves_a_new_table_without_being_told(started: Stack) -> None:
    url, headers = f"{started.rest_url}/reload_test", {"apikey": started.secret_key}
    assert httpx.get(url, headers=headers).status_code == 404
    with psycopg.connect(started.db_url) as connection:
        connection.execute("create table public.reload_test (value int)")
        connection.execute("grant select on public.reload_test to service_role")
    try:
        deadline = time.monotonic() + 10
        while (status := httpx.get(url, headers=headers).status_code) != 200:
            assert time.monotonic() < deadline, status
            time.sleep(POLL_SECONDS)
    finally:
        with psycopg.connect(started.db_url) as connection:
            connection.execute("drop table public.reload_test")


def test_a_broken_migration_is_shown_with_the_words_of_the_database(started: Stack, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "supabase", tmp_path / "supabase")
    broken = tmp_path / "supabase" / "migrations" / "29990101000000_create_broken.sql"
    broken.write_text("create table public.broken (value no_such_type);", encoding="utf-8")
    with pytest.raises(StackError, match='type "no_such_type" does not exist'):
        migrations.up(started.db_url, project=tmp_path)
    broken.write_text("create table public.repaired (value int);", encoding="utf-8")
    rollback = tmp_path / "supabase" / "rollbacks" / broken.name
    assert migrations.up(started.db_url, project=tmp_path) == ["29990101000000"]
    with pytest.raises(StackError, match="29990101000000 has 0 rollbacks"):
        migrations.down_one(started.db_url, project=tmp_path)
    rollback.write_text("drop table public.repaired;", encoding="utf-8")
    assert migrations.down_one(started.db_url, project=tmp_path) == "29990101000000"
    assert "29990101000000" not in migrations.applied(started.db_url)


def test_the_printed_example_works_as_it_stands(started: Stack) -> None:
    coordinator = max((a for a in started.sign_ins() if a.role == "coordinator"), key=lambda a: a.chapters)
    script = summary.example_call(started, coordinator.email)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert 0 < len(rows) <= coordinator.chapters
    assert {"chapter_id", "activity_count", "total_hours", "active_peer_mentors"} <= set(rows[0])


def test_a_changed_port_moves_the_stack(started: Stack) -> None:
    moved = Stack(started.instance.state_dir, replace(started.instance.ports, gateway=Ports.free().gateway))
    moved.start()
    assert httpx.get(f"{moved.api_url}/health").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{started.api_url}/health")
    started.start()
    assert httpx.get(f"{started.api_url}/health").status_code == 200


def test_a_move_to_a_taken_port_is_refused_before_anything_is_stopped(started: Stack) -> None:
    before, file = pids(started), started.instance.state_dir / "stack.env"
    stored = file.read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = replace(started.instance.ports, functions=taken.getsockname()[1])
        moved = Stack(started.instance.state_dir, ports)
        with pytest.raises(StackError, match=rf"^port {ports.functions}, which functions needs, is taken by"):
            moved.start()
    assert pids(started) == before
    assert file.read_text(encoding="utf-8") == stored
    assert started.status() == dict.fromkeys(PARTS, True)


def test_parts_may_change_places(started: Stack) -> None:
    here = started.instance.ports
    swapped = replace(
        here, gateway=here.rest, rest=here.gateway, postgres=here.functions, functions=here.postgres
    )
    moved = Stack(started.instance.state_dir, swapped)
    moved.start()
    assert moved.status() == dict.fromkeys(PARTS, True)
    assert Stack(started.instance.state_dir).instance.ports == swapped, "kept with the instance"
    with psycopg.connect(moved.db_url) as connection:
        url = connection.execute("select private.secret('fersk_functions_url')").fetchone()
    assert url == (moved.functions_url,)
    started.start()
    assert started.status() == dict.fromkeys(PARTS, True)


CLOSING = {"05", "06"}  # FIN_WAIT2 and TIME_WAIT


def states_of(port: int) -> set[str]:
    """States of all connections of which this port is the local end, as /proc/net/tcp numbers them."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return {line.split()[3] for line in lines if line.split()[1].endswith(f":{port:04X}")}


def test_a_stop_frees_the_ports_at_once(started: Stack) -> None:
    with psycopg.connect(started.db_url), httpx.Client() as client:
        # connections that are open while everything stops, and some that were closed just before
        assert client.get(f"{started.api_url}/health").status_code == 200
        assert httpx.get(f"{started.rest_url}/", headers={"apikey": started.secret_key}).status_code == 200
        started.stop()
        for port in vars(started.instance.ports).values():
            assert holder_of(port) is None
            with socket.create_server(("127.0.0.1", port)):  # with SO_REUSEADDR, as servers listen
                pass
            remains = states_of(port)
            assert remains <= CLOSING, "what the kernel keeps for a while, and no process"
            if not remains:
                with socket.socket() as plain:
                    plain.bind(("127.0.0.1", port))
    before = time.monotonic()
    started.start()
    assert time.monotonic() - before < 10
    assert started.status() == dict.fromkeys(PARTS, True)


def test_a_new_stack_has_no_error_on_record(started: Stack) -> None:
    started.reset()
    with psycopg.connect(started.db_url) as connection:
        errors = connection.execute("select message from stats.errors").fetchall()
        refreshed = connection.execute(
            "select last_finished_at is not null from stats.stats_refresh_log"
        ).fetchone()
    assert errors == []
    assert refreshed == (True,), "the seed refreshed"


def test_a_reset_gives_a_new_database_under_the_same_keys(started: Stack) -> None:
    activities = count_activities(started)
    with psycopg.connect(started.db_url) as connection:
        connection.execute("create table public.reset_test (value int)")
    started.reset()
    with psycopg.connect(started.db_url) as connection:
        row = connection.execute("select to_regclass('public.reset_test') is null").fetchone()
    assert row == (True,)
    assert count_activities(started) == activities
    assert Stack(started.instance.state_dir, started.instance.ports).secret_key == started.secret_key
