"""Broadcasts from clients and from the database: who hears them, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.realtime.support import (
    JOINED,
    VERSIONS,
    Organization,
    member,
    note,
    phoenix,
)

if TYPE_CHECKING:
    from local.stack import Stack

OK = {"status": "ok", "response": {}}


@pytest.mark.usefixtures("may_send")
@pytest.mark.parametrize("vsn", VERSIONS)
async def test_members_who_may_send_are_heard_by_the_others(
    stack: Stack, nhf: Organization, vsn: str
) -> None:
    topic = f"realtime:{nhf.topic}"
    async with member(stack, nhf) as listening, phoenix(stack, vsn) as sender:
        assert await sender.join(nhf.topic, nhf.token(), broadcast={"ack": True, "self": False}) == JOINED
        assert await sender.ask(topic, "broadcast", note("acknowledged")) == OK  # and no copy of it
        await listening.until_heard("acknowledged")
        assert await sender.ask("phoenix", "heartbeat", {}) == OK


@pytest.mark.usefixtures("may_send")
async def test_senders_hear_themselves_if_they_ask_to(stack: Stack, nhf: Organization) -> None:
    topic = f"realtime:{nhf.topic}"
    async with phoenix(stack) as sender:
        assert await sender.join(nhf.topic, nhf.token(), broadcast={"ack": False, "self": True}) == JOINED
        await sender.send(topic, "broadcast", note("mine"))
        assert await sender.receive() == ["1", None, topic, "broadcast", note("mine")]


async def test_members_who_may_not_send_are_not_heard(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    """As on Supabase there is no answer, not even to who asked for one."""
    topic = f"realtime:{nhf.topic}"
    async with member(stack, nhf) as listening, phoenix(stack) as sender:
        assert await sender.join(nhf.topic, nhf.token(), broadcast={"ack": True}) == JOINED
        await sender.send(topic, "broadcast", note("forbidden"))
        assert await sender.ask("phoenix", "heartbeat", {}, ref="2") == OK
        nhf.broadcast(db, "allowed")
        await listening.until_heard("allowed")
        assert listening.names == ["allowed"]


async def test_a_rolled_back_message_is_never_heard(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    async with member(stack, nhf) as listening:
        with db.transaction(force_rollback=True):
            nhf.broadcast(db, "rolled back")
        with db.transaction():
            nhf.broadcast(db, "committed 1")
            nhf.broadcast(db, "committed 2")
        await listening.until_heard("committed 2")
        assert listening.names == ["committed 1", "committed 2"]


async def test_a_large_message_arrives_whole(stack: Stack, nhf: Organization, db: psycopg.Connection) -> None:
    """NOTIFY carries less than 8000 bytes; a message may be larger."""
    name = "x" * 100_000
    async with member(stack, nhf) as listening:
        nhf.broadcast(db, name)
        await listening.until_heard(name)


async def test_listeners_keep_their_socket_over_a_restart_of_the_database(
    stack: Stack, nhf: Organization
) -> None:
    async with member(stack, nhf) as listening:
        stack.stop_postgres(immediate=True)
        stack.start_postgres()
        with psycopg.connect(stack.db_url, autocommit=True) as db:
            nhf.broadcast(db, "before the server listens again")
        await listening.until_heard("before the server listens again", 15)
        with psycopg.connect(stack.db_url, autocommit=True) as db:
            nhf.broadcast(db, "after")
        await listening.until_heard("after")
        assert listening.names == ["before the server listens again", "after"]  # each once
        assert listening.states == ["SUBSCRIBED"]


async def test_what_was_sent_while_the_server_did_not_listen_follows_once(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    listening_server = "from pg_stat_activity where application_name = 'fersk realtime'"
    async with member(stack, nhf) as listening:
        nhf.broadcast(db, "before")
        await listening.until_heard("before")
        with psycopg.connect(stack.admin_db_url, autocommit=True) as admin:
            admin.execute(f"select pg_terminate_backend(pid) {listening_server}")
            while admin.execute(f"select {listening_server}").fetchone():
                pass
            nhf.broadcast(admin, "meanwhile")
        await listening.until_heard("meanwhile")
        nhf.broadcast(db, "after")
        await listening.until_heard("after")
        assert listening.names == ["before", "meanwhile", "after"]


async def test_a_message_that_cannot_be_sent_never_fails_the_caller(
    nhf: Organization, db: psycopg.Connection
) -> None:
    notices: list[tuple[str | None, str | None]] = []
    db.add_notice_handler(lambda notice: notices.append((notice.severity, notice.message_primary)))

    def rows() -> int:
        found = db.execute("select count(*) from realtime.messages where topic = %s", [nhf.topic]).fetchone()
        assert found
        return int(found[0])

    before = rows()
    db.execute("select realtime.send('[1]', 'note', %s)", [nhf.topic])
    warning = 'WarnSendingBroadcastMessage: path element at position 1 is not an integer: "id"'
    assert (notices, rows()) == ([("WARNING", warning)], before)
    db.execute("select realtime.send('{}', 'note', %s)", [nhf.topic])
    assert (len(notices), rows()) == (1, before + 1)


def test_messages_are_kept_for_three_days(stack: Stack, nhf: Organization) -> None:
    with psycopg.connect(stack.admin_db_url) as admin:
        admin.execute(
            "insert into realtime.messages (topic, extension, event, inserted_at)"
            " select %s, 'broadcast', days::text, localtimestamp - make_interval(days => days, mins => -1)"
            " from generate_series(1, 5) as days",
            [nhf.topic],
        )
        admin.execute("set local role service_role")
        assert admin.execute("select realtime.prune_messages()").fetchone() == (2,)
        kept = admin.execute("select event from realtime.messages where event ~ '^\\d$' order by 1")
        assert kept.fetchall() == [("1",), ("2",), ("3",)]
        admin.execute("set local role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied for function prune_messages"):
            admin.execute("select realtime.prune_messages()")
        admin.rollback()


async def test_a_client_that_does_not_read_is_cut_off_and_holds_nobody_up(
    stack: Stack, nhf: Organization, db: psycopg.Connection
) -> None:
    async with phoenix(stack) as asleep, member(stack, nhf) as listening:
        assert await asleep.join(nhf.topic, nhf.token()) == JOINED
        log = stack.instance.logs / "gateway.log"
        for number in range(1000):
            nhf.broadcast(db, f"{number} {'x' * 100_000}")
            await listening.until_heard(f"{number} {'x' * 100_000}")
            if "realtime_client_too_slow" in log.read_text(encoding="utf-8"):
                break
        else:
            pytest.fail("100 MB are waiting for a client that does not read")
        asleep.socket.transport.abort()  # it would wait for a farewell
