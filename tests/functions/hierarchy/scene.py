"""An organisation of the tests' own, five levels deep, whose summaries nobody else's changes outdate."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID, uuid4

import psycopg

from tests.support.activities import add_activity
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

Connection = psycopg.Connection[Any]

# name → (parent, kind); `leaf` has four ancestors
TREE = {
    "national": (None, "national"),
    "region": ("national", "region"),
    "district": ("region", "district"),
    "subdistrict": ("district", "district"),
    "leaf": ("subdistrict", "local"),
    "cousin": ("region", "local"),
    "other": ("national", "local"),
}
ANCESTORS = ("subdistrict", "district", "region", "national")


@dataclass(frozen=True)
class Forest:
    """The organisation, its units by name, and its people's e-mail addresses.

    db : as the owner, committing each statement.
    """

    db: Connection
    organization: UUID
    units: dict[str, UUID]
    admin: str
    mentor: UUID
    activity_type: UUID

    def add_activity(self, unit: str, occurred_at: str = "2026-05-17 12:00Z") -> UUID:
        return add_activity(
            self.db,
            organization_id=self.organization,
            unit_id=self.units[unit],
            peer_mentor_id=self.mentor,
            activity_type_id=self.activity_type,
            occurred_at=occurred_at,
            duration_minutes=90,
        )

    def set(self, column: LiteralString, value: object) -> None:
        """Change one of the organisation's settings."""
        query = f"update public.organization_settings set {column} = %s where organization_id = %s"
        self.db.execute(query, [value, self.organization])

    def marks(self) -> dict[tuple[str, int], int]:
        """How often each summary was marked, by unit and year."""
        names = {unit_id: name for name, unit_id in self.units.items()}
        rows = self.db.execute(
            "select unit_id, period_year, marks from stats.marks where unit_id = any (%s)",
            [list(self.units.values())],
        )
        return {(names[unit_id], year): marks for unit_id, year, marks in rows}

    def outdated(self, year: int = 2026) -> dict[str, bool]:
        """Whether each cached summary is outdated, by unit."""
        names = {unit_id: name for name, unit_id in self.units.items()}
        rows = self.db.execute(
            "select e.unit_id, stats.is_outdated(e) from public.hierarchy_stats_cache e"
            " where e.unit_id = any (%s) and e.period_year = %s",
            [list(self.units.values()), year],
        )
        return {names[unit_id]: outdated for unit_id, outdated in rows}

    def logged(self) -> int:
        """How many changes wait to be drained."""
        query = "select count(*) from stats.unit_changes where organization_id = %s"
        row = self.db.execute(query, [self.organization]).fetchone()
        assert row is not None
        return int(row[0])

    def broadcasts(self) -> list[dict[str, Any]]:
        """What was broadcast to the organisation's channel, oldest first, without the ids of the messages."""
        rows = self.db.execute(
            "select payload - 'id' from realtime.messages where topic = %s and event = 'cache_invalidated'"
            " order by inserted_at",
            [f"activities:org:{self.organization}"],
        )
        return [payload for (payload,) in rows]

    def settle(self) -> None:
        """Wait until everything committed so far is drained, by whomever."""
        eventually(lambda: self.logged() == 0)


@contextmanager
def planted(stack: Stack) -> Iterator[Forest]:
    """Create the organisation, and remove it with all that it did."""
    slug = f"forest-{uuid4().hex[:12]}"
    people = {name: uuid4() for name in ("admin", "mentor")}
    units = {name: uuid4() for name in TREE}
    with psycopg.connect(stack.db_url, autocommit=True) as db:
        row = db.execute(
            "insert into public.organizations (slug, name) values (%s, 'Forest') returning id", [slug]
        ).fetchone()
        assert row is not None
        organization = row[0]
        try:
            for name, person in people.items():
                _sign_up(db, organization, person, f"{name}@{slug}.example")
            for name, (parent, kind) in TREE.items():
                db.execute(
                    "insert into public.organization_units (id, organization_id, parent_id, kind, name)"
                    " values (%s, %s, %s, %s, %s)",
                    [units[name], organization, units[parent] if parent else None, kind, name],
                )
            db.execute(
                "insert into public.profiles (id, organization_id, role, display_name) values"
                " (%(admin)s, %(o)s, 'org_admin', 'Admin'), (%(mentor)s, %(o)s, 'peer_mentor', 'Mentor')",
                {**people, "o": organization},
            )
            row = db.execute(
                "insert into public.activity_types (organization_id, code, label)"
                " values (%s, 'conversation', 'Samtale') returning id",
                [organization],
            ).fetchone()
            assert row is not None
            yield Forest(db, organization, units, f"admin@{slug}.example", people["mentor"], row[0])
        finally:
            _remove(db, organization, list(people.values()))


def _sign_up(db: Connection, organization: UUID, person: UUID, email: str) -> None:
    db.execute(
        "insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,"
        " raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token,"
        " email_change_token_new, email_change) values ('00000000-0000-0000-0000-000000000000', %s,"
        " 'authenticated', 'authenticated', %s, extensions.crypt('password', extensions.gen_salt('bf', 6)),"
        " now(), jsonb_build_object('provider', 'email', 'org_id', %s::uuid), '{}', now(), now(),"
        " '', '', '', '')",
        [person, email, organization],
    )
    db.execute(
        "insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at,"
        " created_at, updated_at) select u.id, u.id::text, u.id,"
        " jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', true), 'email', now(), now(),"
        " now()"
        " from auth.users u where u.id = %s",
        [person],
    )


def _remove(db: Connection, organization: UUID, people: list[UUID]) -> None:
    with db.transaction():
        db.execute("delete from public.activities where organization_id = %s", [organization])
        db.execute("delete from public.profiles where organization_id = %s", [organization])
        db.execute("delete from public.activity_types where organization_id = %s", [organization])
        db.execute("delete from public.organization_units where organization_id = %s", [organization])
        db.execute("delete from public.organizations where id = %s", [organization])
        db.execute("delete from auth.users where id = any (%s)", [people])
