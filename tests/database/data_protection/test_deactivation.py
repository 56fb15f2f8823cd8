"""Who is deactivated: nothing more over REST and functions at once, over an open channel within seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.database.data_protection.test_erasure import profile_of
from tests.functions.bufdir.support import DAYS, YEAR, refusal
from tests.stack.realtime.support import JOINED, Organization, phoenix
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack
    from tests.functions.bufdir.support import Person
    from tests.resilience.own_cluster import Connection

EMAIL = "gunnar@hlf.example"


@pytest.fixture
def hlf(own: Stack) -> Organization:
    return Organization.find(own, "hlf")


@pytest.fixture
def gunnar(db: Connection) -> Iterator[str]:
    """Give a coordinator who is active again in the end."""
    found = str(profile_of(db, EMAIL))
    yield found
    set_active(db, found, is_active=True)


def set_active(db: Connection, profile: str, *, is_active: bool) -> None:
    db.execute("update public.profiles set is_active = %s where id = %s", [is_active, profile])


async def test_an_open_channel_ends_within_seconds(
    own: Stack, db: Connection, hlf: Organization, gunnar: str
) -> None:
    async with phoenix(own) as leaver, phoenix(own) as member:
        assert await leaver.join(hlf.topic, hlf.token(sub=gunnar)) == JOINED
        assert await member.join(hlf.topic, hlf.token()) == JOINED
        set_active(db, gunnar, is_active=False)
        *head, system = await leaver.receive()  # which waits for seconds, not until the token ends
        assert head == ["1", None, f"realtime:{hlf.topic}", "system"]
        assert system == {
            "extension": "system",
            "status": "error",
            "message": f"You no longer have permission to read from this Channel topic: {hlf.topic}",
            "channel": hlf.topic,
        }
        assert (await leaver.receive())[3] == "phx_close"
        hlf.broadcast(db, "for members")
        assert (await member.receive())[4]["payload"]["name"] == "for members"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(leaver.socket.recv(), 1)
        answer = await leaver.join(hlf.topic, hlf.token(sub=gunnar))
        assert answer["response"]["reason"].startswith("Unauthorized: ")


async def test_a_channel_of_a_member_outlasts_many_checks_and_a_restart_of_the_database(
    own: Stack, hlf: Organization
) -> None:
    """The twin: nobody else is thrown out, also not while the database cannot say who may listen."""
    async with phoenix(own) as member:
        assert await member.join(hlf.topic, hlf.token()) == JOINED
        own.stop_postgres(immediate=True)
        await asyncio.sleep(4)
        own.start_postgres()
        await asyncio.sleep(4)
        with psycopg.connect(own.db_url, autocommit=True) as db:
            hlf.broadcast(db, "still heard")
        while (message := await member.receive())[4]["payload"].get("name") != "still heard":
            assert message[3] == "broadcast"  # of what other tests have changed


def test_rest_and_functions_refuse_at_once(
    own: Stack, db: Connection, gunnar: str, person: Callable[[str], Person]
) -> None:
    who = person(EMAIL)
    session = sign_in(own, EMAIL)
    unit = db.execute("select unit_id from public.chapter_assignments where profile_id = %s", [gunnar])
    (unit_id,) = unit.fetchone() or (None,)
    relations = ("activities", "chapter_stats", "mv_chapter_stats", "coordinator_monthly_stats", "chapters")
    functions: list[tuple[str, str, dict[str, object]]] = [
        ("GET", "metric-snapshots", DAYS.query),
        ("GET", "snapshot-status", DAYS.query),
        ("GET", "verify-snapshot", DAYS.query),
        ("GET", "bufdir-alignment", {"year": YEAR}),
        ("GET", "hierarchy-stats", {"unit_id": unit_id, "year": YEAR}),
        ("POST", "refresh-stats-views", {}),
    ]

    def seen() -> list[bool]:
        return [who.rest("GET", f"{name}?limit=1").json() != [] for name in relations]

    def codes() -> set[tuple[int, str | None]]:
        return {refusal(who.call(method, slug, **query)) for method, slug, query in functions}

    assert all(seen())
    assert (403, "forbidden") not in codes()
    set_active(db, gunnar, is_active=False)
    assert not any(seen())
    assert codes() == {(403, "forbidden")}
    renewed = who.http.post(
        f"{own.auth_url}/token?grant_type=refresh_token",
        json={"refresh_token": session.refresh_token},
        headers={"apikey": own.publishable_key},
    )
    assert renewed.status_code == 400
