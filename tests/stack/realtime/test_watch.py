"""`make watch`: a client that prints what it hears, and comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from local import processes, services
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.stack import Stack
    from tests.stack.realtime.support import Organization

WAIT_SECONDS = 20
BACK_SECONDS = 30


@dataclass(frozen=True)
class Watch:
    process: asyncio.subprocess.Process

    async def next(self, seconds: float = WAIT_SECONDS) -> str:
        """Return the next line without its time."""
        assert self.process.stdout
        line = (await asyncio.wait_for(self.process.stdout.readline(), seconds)).decode().rstrip("\n")
        return line[len("00:00:00  ") :]

    async def back(self) -> str:
        """Return the first line of the next subscription; until it comes, only attempts are told."""
        async with asyncio.timeout(BACK_SECONDS):
            while (line := await self.next(BACK_SECONDS)).startswith("disconnected ("):
                pass
            return line


@contextlib.asynccontextmanager
async def watch(stack: Stack, email: str) -> AsyncIterator[Watch]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.watch", email, "--state-dir", str(stack.instance.state_dir)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Watch(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def total(stack: Stack, email: str) -> str:
    with psycopg.connect(stack.db_url) as db:
        row = db.execute(
            "select count(*), sum(stats.hours(duration_minutes)) from stats.countable_activities"
            " where peer_mentor_id = (select id from auth.users where email = %s)",
            [email],
        ).fetchone()
    assert row
    return f"{row[0]} activities, {row[1]:.2f} hours"


async def test_prints_invalidations_and_comes_back_after_the_gateway_was_gone(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    listening = f"listening; {total(stack, 'ola@nhf.example')}"
    payload = {"unit_ids": [nhf.id, nhf.member_id], "dates": ["2026-11-02", "2026-11-01"]}
    async with watch(stack, "ola@nhf.example") as watching:
        assert await watching.next() == listening
        db.execute("select realtime.send(%s, 'another_event', %s)", [json.dumps(payload), nhf.topic])
        db.execute("select realtime.send(%s, 'cache_invalidated', %s)", [json.dumps(payload), nhf.topic])
        assert await watching.next() == "2 units invalidated: 2026-11-01, 2026-11-02"

        processes.stop(stack.instance, "gateway", signal.SIGKILL)
        assert (await watching.next()).endswith("; next attempt in 1 s")
        assert (await watching.next()).endswith("; next attempt in 2 s")
        processes.ensure(stack.instance, services.gateway(stack.instance))
        assert await watching.back() == listening
        db.execute("select realtime.send(%s, 'cache_invalidated', %s)", [json.dumps(payload), nhf.topic])
        assert await watching.next() == "2 units invalidated: 2026-11-01, 2026-11-02"

        watching.process.send_signal(signal.SIGINT)
        output, errors = await asyncio.wait_for(watching.process.communicate(), WAIT_SECONDS)
        assert (watching.process.returncode, output, errors) == (-signal.SIGINT, b"", b"interrupted\n")


async def test_a_session_that_was_ended_is_replaced(stack: Stack) -> None:
    listening = f"listening; {total(stack, 'ola@nhf.example')}"
    async with watch(stack, "ola@nhf.example") as watching:
        assert await watching.next() == listening
        with psycopg.connect(stack.admin_db_url, autocommit=True) as admin:
            admin.execute("delete from auth.refresh_tokens")
        processes.stop(stack.instance, "gateway")
        processes.ensure(stack.instance, services.gateway(stack.instance))
        assert (await watching.next()).startswith("disconnected (CHANNEL_ERROR: received 1001 (going away)")
        assert await watching.back() == listening


async def test_an_unknown_user_or_stack_is_an_error(stack: Stack) -> None:
    async with watch(stack, "nobody@nhf.example") as watching:
        output, errors = await asyncio.wait_for(watching.process.communicate(), WAIT_SECONDS)
        assert (watching.process.returncode, output) == (1, b"")
        assert errors == b"error: Invalid login credentials\n"
