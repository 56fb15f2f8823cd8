"""Erasing people and contacts: nothing of them is left anywhere, and every figure is what it was."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from local import migrations, postgres
from tests.database.data_protection.figures import figures
from tests.functions.bufdir.support import DAYS, data, refusal
from tests.resilience.comparison import differences
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.waiting import blocked
from tests.support.activities import add_activity, like_one
from tests.support.people import sign_in, try_to_sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack
    from tests.functions.bufdir.support import Person
    from tests.resilience.own_cluster import Connection

ADMIN, COORDINATOR = "astrid@nhf.example", "kari@nhf.example"
NOT_YOURS = (403, "42501", "only an org admin of their organisation erases a person")
NOT_YOUR_CONTACT = (403, "42501", "only an org admin erases a contact")


def profile_of(db: Connection, email: str) -> UUID:
    row = db.execute("select id from auth.users where email = %s", [email]).fetchone()
    assert row, email
    found: UUID = row[0]
    return found


def contacts_of(db: Connection, profile: UUID) -> list[UUID]:
    rows = db.execute(
        "select distinct contact_id from public.activities where peer_mentor_id = %s"
        " and contact_id is not null order by 1",
        [profile],
    )
    return [contact for (contact,) in rows]


def write_texts(db: Connection, profile: UUID, text: str) -> None:
    done = db.execute("update public.activities set summary = %s where peer_mentor_id = %s", [text, profile])
    assert done.rowcount > 1


def introduce(db: Connection, profile: UUID, contact: UUID) -> None:
    """Let somebody meet a contact of another peer mentor."""
    done = db.execute(
        "update public.activities set contact_id = %s where id in (select id from public.activities"
        " where peer_mentor_id = %s and is_counted and contact_id is not null order by id limit 3)",
        [contact, profile],
    )
    assert done.rowcount == 3


def dumped(own: Stack) -> str:
    """Everything that the database keeps, as a backup has it."""
    url, password = migrations.without_password(own.instance.database_url("supabase_admin"))
    return subprocess.run(
        [postgres.program("pg_dump"), "--data-only", url],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def answer(response: Any) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["code"], body["message"]


@pytest.fixture
def saved(person: Callable[[str], Person]) -> None:
    """The report of the last year is saved and exported, by a coordinator who is erased later."""
    data(person(ADMIN).call("PUT", "metric-snapshots", **DAYS.query))
    exported = person(COORDINATOR).rpc("export_bufdir_snapshot", **DAYS.parameters)
    assert exported.status_code == 200, exported.text


@pytest.mark.usefixtures("saved")
def test_no_figure_moves_whoever_is_erased(db: Connection, person: Callable[[str], Person]) -> None:
    """A peer mentor, a contact that two of them met, the coordinator who registered, decided and exported."""
    ola, liv, kari = (profile_of(db, f"{name}@nhf.example") for name in ("ola", "liv", "kari"))
    shared = contacts_of(db, ola)[0]
    introduce(db, liv, shared)
    data(person(ADMIN).call("PUT", "metric-snapshots", **DAYS.query))
    admin = person(ADMIN)
    before = figures(db)
    assert len(before) > 60
    assert all(
        before[f"nhf: {name}"] for name in ("mv_chapter_stats", "coordinator_monthly_stats", "summary")
    )
    for name, parameters in (
        ("erase_contact", {"p_contact_id": contacts_of(db, liv)[0]}),
        ("erase_contact", {"p_contact_id": shared}),
        ("erase_person", {"p_profile_id": ola}),
        ("erase_person", {"p_profile_id": kari}),
    ):
        done = admin.rpc(name, **parameters)
        assert done.status_code == 200, done.text
        after = figures(db)
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
        assert differences(db) == []
        assert wrong_entries(db) == []
        assert db.execute("select * from stats.audit()").fetchall() == []
    assert data(admin.call("GET", "snapshot-status", **DAYS.query))["verdict"] == "fresh"
    assert data(admin.call("GET", "verify-snapshot", **DAYS.query))["discrepancies"] == []
    assert admin.rpc("export_bufdir_snapshot", **DAYS.parameters).status_code == 200


def test_a_figure_that_moved_would_show(db: Connection) -> None:
    """The twin: a contact that is no longer the same in two activities, and nothing else."""
    before = figures(db)
    with db.transaction(force_rollback=True):
        db.execute(
            "update public.activities set contact_id = gen_random_uuid() where id = ("
            " select a.id from public.activities a where a.is_counted and a.contact_id = ("
            "  select b.contact_id from public.activities b where b.is_counted"
            "   and b.occurred_at between %s and %s group by 1 having count(*) > 1 limit 1) limit 1)",
            [DAYS.start, DAYS.end],
        )
        moved = {name.partition(": ")[2] for name, rows in figures(db).items() if rows != before[name]}
    assert {"summary", "report"} <= moved


def test_nothing_of_a_person_is_left_in_the_database(
    own: Stack, db: Connection, person: Callable[[str], Person]
) -> None:
    email, name, text = "berit@nhf.example", "Berit Canary", "told by canary 7f3a"
    berit = profile_of(db, email)
    db.execute("update public.profiles set display_name = %s where id = %s", [name, berit])
    write_texts(db, berit, text)
    assert person(email).headers  # signed in: sessions, tokens, and what Auth notes of it
    contacts = contacts_of(db, berit)
    assert contacts
    canaries = [email, name, text, *map(str, contacts)]
    dump = dumped(own)
    assert [canary for canary in canaries if canary not in dump] == []

    done = person(ADMIN).rpc("erase_person", p_profile_id=berit)
    assert done.status_code == 200, done.text
    assert done.json() == {
        "profile_id": str(berit),
        "erased_at": done.json()["erased_at"],
        "sign_in_deleted": True,
    }
    dump = dumped(own)
    assert [canary for canary in canaries if canary in dump] == []
    assert str(berit) in dump  # what they did counts on
    logs = "".join(log.read_text(errors="replace") for log in own.instance.logs.iterdir())
    assert [canary for canary in (name, text, *map(str, contacts)) if canary in logs] == []


def test_nothing_of_a_contact_is_left_in_the_database(
    own: Stack, db: Connection, person: Callable[[str], Person]
) -> None:
    arne, ingrid = (profile_of(db, f"{name}@nhf.example") for name in ("arne", "ingrid"))
    contact, text = contacts_of(db, arne)[0], "about canary 91bc"
    introduce(db, ingrid, contact)
    db.execute("update public.activities set summary = %s where contact_id = %s", [text, contact])
    db.execute(
        "update public.activities set summary = 'of others' where contact_id is distinct from %s", [contact]
    )
    dump = dumped(own)
    assert str(contact) in dump
    assert text in dump
    done = person(ADMIN).rpc("erase_contact", p_contact_id=contact)
    assert done.status_code == 200, done.text
    assert done.json()["activities"] > 3
    dump = dumped(own)
    assert str(contact) not in dump
    assert text not in dump
    assert "of others" in dump
    assert person(ADMIN).rpc("erase_contact", p_contact_id=contact).json() == {"activities": 0}


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    "who", ["per@nhf.example", "bjorn@nhf.example", "hanne@hlf.example", "odd@hlf.example"]
)
def test_nobody_else_erases_or_exports(db: Connection, person: Callable[[str], Person], who: str) -> None:
    victim = profile_of(db, "solveig@nhf.example")
    contact = contacts_of(db, victim)[0]
    before = person(ADMIN).rpc("export_person", p_profile_id=victim).json()
    assert answer(person(who).rpc("erase_person", p_profile_id=victim)) == NOT_YOURS
    assert answer(person(who).rpc("erase_person", p_profile_id=uuid4())) == NOT_YOURS
    of_a_contact = person(who).rpc("erase_contact", p_contact_id=contact)
    if who == "hanne@hlf.example":  # an admin, and in her organisation there is none of this id
        assert of_a_contact.json() == {"activities": 0}
    else:
        assert answer(of_a_contact) == NOT_YOUR_CONTACT
    assert answer(person(who).rpc("export_person", p_profile_id=victim)) == (
        403,
        "42501",
        "only the person and their org admin export a person's data",
    )
    after = person(ADMIN).rpc("export_person", p_profile_id=victim).json()
    assert {**after, "exported_at": None} == {**before, "exported_at": None}


def test_people_export_themselves(db: Connection, person: Callable[[str], Person]) -> None:
    own_data = person("per@nhf.example").rpc("export_person", p_profile_id=profile_of(db, "per@nhf.example"))
    assert own_data.status_code == 200
    assert own_data.json()["sign_in"]["email"] == "per@nhf.example"
    assert own_data.json()["activities"]


def test_the_last_org_admin_stays_until_there_is_another(
    own: Stack, db: Connection, person: Callable[[str], Person]
) -> None:
    email = "einar@blindeforbundet.example"
    einar, heir = profile_of(db, email), profile_of(db, "knut@blindeforbundet.example")
    refused = person(email).rpc("erase_person", p_profile_id=einar)
    assert answer(refused) == (409, "PT409", "the last org admin cannot be erased")
    assert refused.json()["hint"] == "Make somebody else org admin first."
    db.execute("update public.profiles set role = 'org_admin' where id = %s", [heir])
    assert person(email).rpc("erase_person", p_profile_id=einar).status_code == 200
    key = {"apikey": own.secret_key, "authorization": f"Bearer {own.secret_key}"}
    by_service = person(email).http.post(
        f"{own.rest_url}/rpc/erase_person", json={"p_profile_id": str(heir)}, headers=key
    )
    assert answer(by_service) == (409, "PT409", "the last org admin cannot be erased")


# ---------------------------------------------------------------- afterwards


def test_who_was_erased_neither_reads_nor_signs_in(
    own: Stack, db: Connection, person: Callable[[str], Person]
) -> None:
    email = "tor@hlf.example"
    tor, session = person(email), sign_in(own, email)
    assert tor.rest("GET", "activities?limit=1").json() != []
    done = person("hanne@hlf.example").rpc("erase_person", p_profile_id=profile_of(db, email))
    assert done.status_code == 200, done.text

    assert tor.rest("GET", "activities?limit=1").json() == []
    assert tor.rest("GET", "chapter_stats").json() == []
    assert refusal(tor.call("GET", "snapshot-status", **DAYS.query)) == (403, "forbidden")
    assert answer(tor.rpc("export_person", p_profile_id=UUID(session.user_id)))[:2] == (403, "42501")
    renewed = tor.http.post(
        f"{own.auth_url}/token?grant_type=refresh_token",
        json={"refresh_token": session.refresh_token},
        headers={"apikey": own.publishable_key},
    )
    assert renewed.status_code == 400
    again = try_to_sign_in(own, email)
    assert (again.status_code, again.json()["error_code"]) == (400, "invalid_credentials")


def test_an_erasure_waits_for_what_is_being_registered(own: Stack, db: Connection) -> None:
    """And takes it along: the text of the last moment does not stay."""
    randi = profile_of(db, "randi@hlf.example")
    with psycopg.connect(own.db_url) as writer, psycopg.connect(own.db_url, autocommit=True) as admin:
        copied = like_one(writer, "peer_mentor_id = %s", [randi])
        add_activity(writer, **copied | {"occurred_at": "now"}, summary="at the last moment")
        erase = f"select public.erase_person('{randi}')"
        with blocked(erase, session=admin, by=writer, observer=db) as erasing:
            writer.commit()
        erasing.result()
    left = db.execute(
        "select count(*), count(summary) from public.activities where peer_mentor_id = %s"
        " and occurred_at > now() - interval '1 minute'",
        [randi],
    ).fetchone()
    assert left == (1, 0)


def test_an_erasure_beside_a_migration_that_rewrites_the_table_misses_nothing(
    own: Stack, db: Connection
) -> None:
    """To a snapshot older than its commit the table is empty, and nothing would be erased."""
    nils = profile_of(db, "nils@nhf.example")
    write_texts(db, nils, "written before")
    with psycopg.connect(own.db_url) as migration, psycopg.connect(own.db_url, autocommit=True) as admin:
        migration.execute("alter table public.activities add column rewritten uuid default gen_random_uuid()")
        erase = f"select public.erase_person('{nils}')"
        with blocked(erase, session=admin, by=migration, observer=db) as erasing:
            migration.commit()
        erasing.result()
    db.execute("alter table public.activities drop column rewritten")
    left = db.execute("select count(summary) from public.activities where peer_mentor_id = %s", [nils])
    assert left.fetchone() == (0,)


@pytest.fixture
def superuser(own: Stack) -> Iterator[Connection]:
    with psycopg.connect(own.instance.database_url("supabase_admin"), autocommit=True) as connection:
        yield connection


def test_where_the_platform_keeps_the_sign_in_the_person_is_erased_all_the_same(
    db: Connection, superuser: Connection, person: Callable[[str], Person]
) -> None:
    odd = profile_of(db, "odd@hlf.example")
    superuser.execute("revoke delete on auth.users, auth.sessions, auth.refresh_tokens from postgres")
    try:
        done = person("hanne@hlf.example").rpc("erase_person", p_profile_id=odd)
        assert done.status_code == 200, done.text
        assert done.json()["sign_in_deleted"] is False
    finally:
        superuser.execute("grant delete on auth.users, auth.sessions, auth.refresh_tokens to postgres")
    recorded = db.execute("select message from stats.errors order by id desc limit 2").fetchall()
    assert [message.partition(":")[0] for (message,) in recorded] == ["a sign-in stays", "sessions stay open"]
    name = db.execute("select display_name, user_id, is_active from public.profiles where id = %s", [odd])
    assert name.fetchone() == ("Erased person", None, False)
    again = person("hanne@hlf.example").rpc("erase_person", p_profile_id=odd)
    assert again.json()["sign_in_deleted"] is True
    assert db.execute("select from auth.users where id = %s", [odd]).fetchone() is None
