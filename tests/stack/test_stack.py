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
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import psycopg
import pytest

from local import migrations, processes, summary
from local.config import Ports
from local.errors import StackError
from local.network import HOST, holder_of
from local.requirements import ROOT
from local.stack import Stack
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = ("postgres", "rest", "gateway", "functions", "pg_net")
ALL_UP = dict.fromkeys(PARTS, True)


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
    assert own.status() == ALL_UP
    return own


def parts(stack: Stack) -> dict[str, psutil.Process]:
    found = {part: processes.running(stack.instance, part) for part in PARTS}
    return {part: process for part, process in found.items() if process}


def value(stack: Stack, query: str) -> Any:
    with psycopg.connect(stack.db_url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def count_activities(stack: Stack) -> int:
    return int(value(stack, "select count(*) from public.activities"))


def test_starting_again_changes_nothing(started: Stack) -> None:
    file = started.instance.state_dir / "stack.env"
    before, activities, stored = parts(started), count_activities(started), file.read_text(encoding="utf-8")
    assert activities > 0, "the seed was loaded"
    Stack(started.instance.state_dir, started.instance.ports).start()
    assert parts(started) == before
    assert count_activities(started) == activities
    assert file.read_text(encoding="utf-8") == stored
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_another_key_in_the_file_holds_from_the_next_start_and_the_data_stay(started: Stack) -> None:
    file = started.instance.state_dir / "stack.env"
    old, new = started.secret_key, "sb_secret_" + "another_0123456789"
    activities, before = count_activities(started), parts(started)
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    again = Stack(started.instance.state_dir)
    again.start()
    after = parts(started)
    assert {name for name in PARTS if after[name] == before[name]} == {"postgres", "rest"}
    for url in (f"{again.rest_url}/organizations", f"{again.functions_url}/metrics"):
        statuses = [httpx.get(url, headers={"apikey": key}, timeout=20).status_code for key in (old, new)]
        assert statuses == [401, 200], url
    assert count_activities(started) == activities


def test_two_stacks_run_side_by_side(stack: Stack, started: Stack) -> None:
    assert stack.status() == started.status() == ALL_UP
    assert set(parts(stack).values()).isdisjoint(parts(started).values())
    own_key = httpx.get(f"{started.rest_url}/organizations", headers={"apikey": started.secret_key})
    foreign_key = httpx.get(f"{started.rest_url}/organizations", headers={"apikey": stack.secret_key})
    assert (own_key.status_code, foreign_key.status_code) == (200, 401)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_started_again_and_the_others_are_left_alone(started: Stack, part: str) -> None:
    before = parts(started)
    processes.end([before[part]], signal.SIGKILL)
    assert started.status()[part] is False
    started.start()
    after = parts(started)
    assert started.status() == ALL_UP
    replaced = {name for name in PARTS if after[name] != before[name]}
    # Without its database a part may be found wanting and be replaced, too.
    assert replaced == {part} or (part == "postgres" and part in replaced)


def test_a_crash_of_postgres_loses_nothing_that_was_committed(started: Stack) -> None:
    with psycopg.connect(started.db_url) as connection:
        connection.execute("create table public.crash_test as select 1 as value")
    started.stop_postgres(immediate=True)
    started.start_postgres()
    assert value(started, "select value from public.crash_test") == 1
    with psycopg.connect(started.db_url) as connection:
        connection.execute("drop table public.crash_test")


def test_a_number_that_now_belongs_to_somebody_else_is_never_killed(started: Stack) -> None:
    started.stop()
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            lock = started.instance.data / "postmaster.pid"
            lock.write_text(f"{bystander.pid}\n{started.instance.data}\n", encoding="utf-8")
            started.start()
            started.stop()
            assert bystander.poll() is None
        finally:
            bystander.kill()


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


def test_a_stack_whose_state_was_deleted_while_it_ran_starts_anew_and_is_destroyed_whole(
    started: Stack,
) -> None:
    lost = parts(started)
    shutil.rmtree(started.instance.state_dir)
    found = Stack(started.instance.state_dir, started.instance.ports)
    assert found.secret_key != started.secret_key
    found.start()
    assert found.status() == ALL_UP
    assert count_activities(found) > 0
    assert [part for part, process in lost.items() if process.is_running()] == []

    running = parts(found)
    found.destroy()
    assert [part for part, process in running.items() if process.is_running()] == []
    assert [port for port in vars(found.instance.ports).values() if holder_of(port)] == []
    assert (found.instance.state_dir.exists(), found.instance.data.exists()) == (False, False)
    started.instance.logs.mkdir(parents=True)  # for the next start


def test_everything_listens_on_the_loopback_address_only(started: Stack) -> None:
    ports = set(vars(started.instance.ports).values())
    listening = {
        (found.laddr.ip, found.laddr.port)
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port in ports
    }
    assert listening == {(HOST, port) for port in ports}


def test_no_secret_stands_in_a_command_line_or_a_log(started: Stack) -> None:
    told = {part: " ".join(process.cmdline()) for part, process in parts(started).items()}
    assert all(told.values())
    told |= {file.name: file.read_text(encoding="utf-8") for file in started.instance.logs.iterdir()}
    assert "postgres.log" in told
    for name, text in told.items():
        assert not any(secret in text for secret in vars(started.instance.secrets).values()), name


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
        eventually(lambda: httpx.get(url, headers=headers).status_code == 200)
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


def test_a_move_to_a_taken_port_is_refused_before_anything_is_stopped(started: Stack) -> None:
    before, file = parts(started), started.instance.state_dir / "stack.env"
    stored = file.read_text(encoding="utf-8")
    with socket.create_server((HOST, 0)) as taken:
        ports = replace(started.instance.ports, functions=taken.getsockname()[1])
        moved = Stack(started.instance.state_dir, ports)
        with pytest.raises(StackError, match=rf"^port {ports.functions}, which functions needs, is taken by"):
            moved.start()
    assert (parts(started), file.read_text(encoding="utf-8")) == (before, stored)


def test_changed_ports_move_the_stack_also_to_each_others_places(started: Stack) -> None:
    here = started.instance.ports
    there = replace(
        here,
        gateway=here.rest,
        rest=Ports.free().rest,
        postgres=here.functions,
        functions=here.postgres,
    )
    moved = Stack(started.instance.state_dir, there)
    moved.start()
    assert moved.status() == ALL_UP
    assert Stack(started.instance.state_dir).instance.ports == there, "kept with the instance"
    assert value(moved, "select private.secret('fersk_functions_url')") == moved.functions_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{started.api_url}/health")
    started.start()
    assert started.status() == ALL_UP


def test_a_stop_frees_the_ports_at_once(started: Stack) -> None:
    closing = {psutil.CONN_FIN_WAIT2, psutil.CONN_TIME_WAIT}
    with psycopg.connect(started.db_url), httpx.Client() as client:
        # connections that are open while everything stops, and some that were closed just before
        assert client.get(f"{started.api_url}/health").status_code == 200
        assert httpx.get(f"{started.rest_url}/", headers={"apikey": started.secret_key}).status_code == 200
        started.stop()
        for port in vars(started.instance.ports).values():
            assert holder_of(port) is None
            with socket.create_server((HOST, port)):  # with SO_REUSEADDR, as servers listen
                pass
            ends = [
                found for found in psutil.net_connections("tcp") if found.laddr and found.laddr.port == port
            ]
            assert {found.status for found in ends} <= closing, "what the kernel keeps, and no process"
            if not ends:
                with socket.socket() as plain:
                    plain.bind((HOST, port))
    before = time.monotonic()
    started.start()
    assert time.monotonic() - before < 10


def test_a_reset_gives_a_new_database_under_the_same_keys(started: Stack) -> None:
    activities = count_activities(started)
    with psycopg.connect(started.db_url) as connection:
        connection.execute("create table public.reset_test (value int)")
    started.reset()
    assert value(started, "select to_regclass('public.reset_test') is null")
    assert count_activities(started) == activities
    assert Stack(started.instance.state_dir, started.instance.ports).secret_key == started.secret_key
    assert value(started, "select count(*) from stats.errors") == 0, "a new stack has no error on record"
    assert value(started, "select last_finished_at is not null from stats.stats_refresh_log"), "by the seed"
