"""`make doctor` finds nothing on a sound stack, and what is broken on a broken one."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, LiteralString

import httpx
import psycopg
import pytest

from local import processes, services
from local.network import HOST, answers
from tests.support.stacks import own_stack
from tests.support.waiting import eventually
from tools import doctor
from tools.doctor import Finding, Project, examine
from tools.rotate import PROBE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

    Connection = psycopg.Connection[tuple[Any, ...]]

A_MINUTE = 60.0
AN_ANSWER = 30.0  # nearly always a second; machines are shared
DAY = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of its own: other tests leave refused wake-ups and differences behind."""
    with own_stack(tmp_path_factory, "doctor") as stack:
        yield stack


@pytest.fixture
def owner(own: Stack) -> Iterator[Connection]:
    with psycopg.connect(own.db_url, autocommit=True) as connection:
        connection.execute("select stats.sweep()")
        yield connection


def find(stack: Stack, *, advisors: bool = False) -> set[tuple[str, str]]:
    found, _ = examine(Project(stack.api_url, stack.secret_key, stack.db_url if advisors else None))
    assert all(finding.remedy for finding in found)
    return {(finding.check, finding.what.partition(" since ")[0]) for finding in found}


@contextmanager
def broken(owner: Connection, breaking: LiteralString, mending: LiteralString) -> Iterator[None]:
    owner.execute(breaking)
    try:
        yield
    finally:
        owner.execute(mending)


@pytest.mark.usefixtures("owner")
def test_a_sound_stack_has_nothing_to_do(own: Stack) -> None:
    assert find(own, advisors=True) == set()


@pytest.mark.parametrize(
    ("breaking", "mending", "finding"),
    [
        pytest.param(
            "select cron.alter_job(jobid, active := false) from cron.job "
            "where jobname = 'fersk-hourly-refresh'",
            "select cron.alter_job(jobid, active := true) from cron.job",
            ("platform", "schedule fersk-hourly-refresh is switched off"),
            id="schedules",
        ),
        pytest.param(
            "grant delete on public.chapters to authenticated",
            "revoke delete on public.chapters from authenticated",
            ("grants", "authenticated may DELETE chapters, which nobody reviewed"),
            id="too-open",
        ),
        pytest.param(
            "revoke select on public.chapters from authenticated",
            "grant select on public.chapters to authenticated",
            ("grants", "authenticated may not GET chapters"),
            id="too-closed",
        ),
        pytest.param(
            "insert into stats.differences (relation_name, chapter_id) "
            "values ('daily_totals', gen_random_uuid())",
            "delete from stats.differences where true",
            ("health", "difference_found"),
            id="audit",
        ),
        pytest.param(
            "alter role authenticator reset pgrst.db_pre_request",
            "select private.install_platform_parts()",
            ("platform", "requests are not checked: PostgREST is not told to call app.check_request"),
            id="pre-request",
        ),
    ],
)
def test_what_is_broken_is_found(
    own: Stack, owner: Connection, breaking: LiteralString, mending: LiteralString, finding: tuple[str, str]
) -> None:
    with broken(owner, breaking, mending):
        assert finding in find(own)
    assert finding not in find(own)


def health(stack: Stack) -> httpx.Response:
    return httpx.get(f"{stack.functions_url}/health", timeout=20, trust_env=False)


def known_since(stack: Stack, code: str) -> datetime | None:
    """Since when health has had a reason: as the database tells it, whatever has become of the functions."""
    answer = httpx.post(
        f"{stack.rest_url}/rpc/get_health", json={}, headers={"apikey": stack.secret_key}, trust_env=False
    )
    found = [each["since"] for each in answer.json()["reasons"] if each["code"] == code]
    return datetime.fromisoformat(found[0]) if found else None


def test_an_address_that_is_not_that_of_the_functions_is_found_within_a_minute(
    own: Stack, owner: Connection
) -> None:
    """All by itself: nobody writes, nobody asks; the heartbeat and the sweep do."""
    began = datetime.now(UTC)
    assert health(own).json()["data"]["status"] == "ready"
    owner.execute("select private.set_secret('fersk_functions_url', %s)", [own.api_url])  # answers 404
    try:
        since = eventually(lambda: known_since(own, "wake_ups_refused"), seconds=A_MINUTE + AN_ANSWER)
        assert since >= began
        assert ("health", "wake_ups_refused") in find(own)
        answer = health(own)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "degraded")
        assert "wake_ups_refused" in {each["code"] for each in answer.json()["data"]["reasons"]}
    finally:
        owner.execute("select private.set_secret('fersk_functions_url', %s)", [own.functions_url])


def test_schedules_that_are_all_off_are_found_at_once(own: Stack, owner: Connection) -> None:
    alter: LiteralString = (
        "select cron.alter_job(jobid, active := {}) from cron.job where jobname ~ '^fersk-'"
    )
    names = [name for (name,) in owner.execute("select jobname from cron.job where jobname ~ '^fersk-'")]
    eventually(lambda: owner.execute("select 1 from cron.job_run_details limit 1").fetchone())
    with broken(owner, alter.format("false"), alter.format("true")):
        assert known_since(own, "schedule_off") is not None
        assert health(own).json()["data"]["status"] == "degraded"
        off = {("platform", f"schedule {name} is switched off") for name in names}
        assert find(own) >= off | {("health", "schedule_off")}
    assert known_since(own, "schedule_off") is None


@pytest.fixture
def wedged(own: Stack) -> Iterator[None]:
    """The functions live and answer, and nothing behind them does."""
    program = services.functions(own.instance)
    with socket.create_server((HOST, 0)) as silent:
        stuck = {**program.environment, "SUPABASE_URL": f"http://{HOST}:{silent.getsockname()[1]}"}
        lives = f"http://{HOST}:{own.instance.ports.functions}/health"
        processes.stop(own.instance, program.name)
        try:
            processes.start(own.instance, replace(program, environment=stuck, ready=lambda: answers(lives)))
            yield
        finally:
            own.start()  # replaces what is stuck


@pytest.mark.usefixtures("wedged")
def test_functions_that_do_not_reach_the_database_are_found_within_a_minute(
    own: Stack, owner: Connection
) -> None:
    """At once by who asks them; and by what the database sent them, be it the heartbeat."""
    answer = health(own)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert ("functions", "health answers 504") in find(own)
    sent_at = datetime.now(UTC)
    owner.execute(PROBE)
    since = eventually(lambda: known_since(own, "wake_ups_failing"), seconds=AN_ANSWER)
    assert since <= sent_at + timedelta(seconds=1)
    assert ("health", "wake_ups_failing") in find(own)


def test_the_exit_status_says_whether_anything_was_found(
    own: Stack, owner: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--url", own.api_url, "--key", own.secret_key]
    with broken(
        owner,
        "grant delete on public.chapters to authenticated",
        "revoke delete on public.chapters from authenticated",
    ):
        assert doctor.main(words) == 1
        assert "which nobody reviewed" in capsys.readouterr().out
    assert doctor.main(["--url", own.api_url, "--key", own.publishable_key]) == 1
    assert "answers 401 to rpc/diagnose" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(29, []), (-31, ["the clock of the database is -31 s off from this machine's"])],
)
def test_clocks(seconds: int, said: list[str]) -> None:
    found = doctor.clock("the database", DAY + timedelta(seconds=seconds), DAY)
    assert [finding.what for finding in found] == said


def test_an_audit_that_is_long_ago() -> None:
    assert list(doctor.audit((DAY - timedelta(hours=25)).isoformat(), DAY)) == []
    assert list(doctor.audit(None, DAY)) == []
    (finding,) = doctor.audit((DAY - timedelta(hours=27)).isoformat(), DAY)
    assert isinstance(finding, Finding)
