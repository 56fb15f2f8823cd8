"""A small part of the seeded organisation, and the rows that play in it."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.resilience.own_cluster import Connection

# Around midnight and the turn of month and year, in UTC and elsewhere.
MOMENTS = [
    "2026-03-31 23:59:59.999Z",
    "2026-04-01 00:00Z",
    "2026-04-01 00:30+02:00",
    "2025-12-31 23:30Z",
    "2026-01-01 00:30+01:00",
    "2026-05-17 12:00Z",
]
MINUTES = [1, 20, 59, 61, 1440]
STATUSES = ["registered", "registered", "draft", "rejected"]


@dataclass(frozen=True)
class Activity:
    """One row of public.activities; the field names are its columns."""

    id: UUID
    organization_id: UUID
    unit_id: UUID
    peer_mentor_id: UUID
    registered_by: UUID
    coordinator_id: UUID | None
    activity_type_id: UUID
    occurred_at: str
    duration_minutes: int
    participant_count: int
    status: str

    def as_json(self) -> dict[str, object]:
        values = zip(COLUMNS, astuple(self), strict=True)
        return {name: str(value) if isinstance(value, UUID) else value for name, value in values}


COLUMNS = [field.name for field in fields(Activity)]
EDITABLE = [
    name for name in COLUMNS if name not in {"id", "organization_id", "peer_mentor_id", "registered_by"}
]


@dataclass(frozen=True)
class Draft:
    """What an activity is to be; the first four are places in the scene's lists."""

    chapter: int
    mentor: int
    coordinator: int | None
    kind: int
    occurred_at: str
    duration_minutes: int
    participant_count: int
    status: str


@dataclass(frozen=True)
class Scene:
    """Ids of an organisation, its org admin, and some of its units, people and activity types."""

    organization: UUID
    admin: UUID
    regions: Sequence[UUID]
    chapters: Sequence[UUID]
    mentors: Sequence[UUID]
    coordinators: Sequence[UUID]
    types: Sequence[UUID]

    def activity(self, activity_id: UUID, draft: Draft) -> Activity:
        mentor = _at(self.mentors, draft.mentor)
        return Activity(
            id=activity_id,
            organization_id=self.organization,
            unit_id=_at(self.chapters, draft.chapter),
            peer_mentor_id=mentor,
            registered_by=mentor,
            coordinator_id=None if draft.coordinator is None else _at(self.coordinators, draft.coordinator),
            activity_type_id=_at(self.types, draft.kind),
            occurred_at=draft.occurred_at,
            duration_minutes=draft.duration_minutes,
            participant_count=draft.participant_count,
            status=draft.status,
        )


def _at(ids: Sequence[UUID], place: int) -> UUID:
    return ids[place % len(ids)]


def load_scene(connection: Connection) -> Scene:
    """Two regions, four chapters, three peer mentors, two coordinators and two activity types of NHF."""

    def ids(table: LiteralString, names: Sequence[str]) -> list[UUID]:
        found: dict[str, UUID] = dict(connection.execute(f"select name, id from ({table}) t").fetchall())
        return [found[name] for name in names]

    units: LiteralString = (
        "select u.name, u.id from public.organization_units u "
        "join public.organizations o on o.id = u.organization_id where o.slug = 'nhf'"
    )
    people: LiteralString = (
        "select split_part(email, '@', 1) as name, id from auth.users where email like '%@nhf.example'"
    )
    types: LiteralString = (
        "select t.code as name, t.id from public.activity_types t "
        "join public.organizations o on o.id = t.organization_id where o.slug = 'nhf'"
    )
    return Scene(
        organization=ids("select slug as name, id from public.organizations", ["nhf"])[0],
        admin=ids(people, ["astrid"])[0],
        regions=ids(units, ["NHF Oslo", "NHF Vestland"]),
        chapters=ids(units, ["Grorud", "Nordstrand", "Bergen", "Voss"]),
        mentors=ids(people, ["ola", "liv", "solveig"]),
        coordinators=ids(people, ["kari", "bjorn"]),
        types=ids(types, ["home_visit", "group_meeting"]),
    )
