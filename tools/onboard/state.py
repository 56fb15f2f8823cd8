"""What the database has of an organisation: read once, before anything is compared or written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    import uuid
    from collections.abc import Iterable
    from decimal import Decimal

    import psycopg

    from tools.onboard.files import Folder


class StoredOrganization(NamedTuple):
    """Name and settings."""

    id: uuid.UUID
    name: str
    time_zone: str
    max_chapter_assignments: int


class StoredUnit(NamedTuple):
    """A unit; `is_used` where somebody works or something took place."""

    id: uuid.UUID
    kind: str
    parent: str | None
    closed_on: dt.date | None
    is_used: bool


class StoredPerson(NamedTuple):
    """A sign-in. `organization_id` is whose it is, by its profile or its invitation."""

    id: uuid.UUID
    organization_id: str | None
    is_invited: bool
    role: str | None
    name: str | None
    is_active: bool | None
    chapters: tuple[str, ...]
    """The primary one first, where there is one."""
    has_primary: bool


class StoredActivity(NamedTuple):
    """What is compared of an activity."""

    organization_id: uuid.UUID
    unit_id: uuid.UUID
    peer_mentor_id: uuid.UUID
    activity_type_id: uuid.UUID
    occurred_at: dt.datetime
    day: dt.date
    minutes: int
    participants: int
    registered_by: uuid.UUID
    coordinator_id: uuid.UUID | None
    status: str
    is_duplicate: bool


@dataclass
class State:
    """Of a new organisation: nothing, but for sign-ins that somebody else may have."""

    organization: StoredOrganization | None = None
    units: dict[str, StoredUnit] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    """Names that several units have."""
    types: dict[str, tuple[uuid.UUID, str]] = field(default_factory=dict)
    categories: dict[tuple[int, str], str] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    thresholds: dict[tuple[int, str], tuple[int, Decimal]] = field(default_factory=dict)
    rules: dict[tuple[str, dt.date], tuple[bool, int | None, int | None, str]] = field(default_factory=dict)
    people: dict[str, StoredPerson] = field(default_factory=dict)
    minutes: dict[tuple[uuid.UUID, dt.date], int] = field(default_factory=dict)
    activities: dict[uuid.UUID, StoredActivity] = field(default_factory=dict)
    corrected: set[uuid.UUID] = field(default_factory=set)
    """Activities that somebody changed or deleted in Fersk: these stay as they are."""
    locked_years: set[int] = field(default_factory=set)

    @property
    def own_id(self) -> str | None:
        """The organisation's id, as a sign-in names it."""
        return str(self.organization.id) if self.organization else None


PEOPLE = """
    select lower(u.email), u.id,
           coalesce(p.organization_id::text, u.raw_app_meta_data ->> 'org_id'),
           coalesce(u.raw_app_meta_data ->> 'org_id' = coalesce(p.organization_id::text,
                                                               u.raw_app_meta_data ->> 'org_id'), false),
           p.role::text, p.display_name, p.is_active,
           coalesce(array_agg(c.name order by a.is_primary desc, c.name)
                    filter (where c.id is not null), '{}'),
           coalesce(bool_or(a.is_primary), false)
    from auth.users u
    left join public.profiles p on p.id = u.id
    left join public.chapter_assignments a on a.profile_id = p.id
    left join public.organization_units c on c.id = a.unit_id
    where p.organization_id = %s or lower(u.email) = any (%s)
    group by u.id, p.id
"""
UNITS = """
    select u.name, u.id, u.kind::text, p.name, u.closed_on,
           exists (select from public.activities a where a.unit_id = u.id)
           or exists (select from public.chapter_assignments a where a.unit_id = u.id)
    from public.organization_units u
    left join public.organization_units p on p.id = u.parent_id
    where u.organization_id = %s
"""
ACTIVITIES = """
    select a.id, a.organization_id, a.unit_id, a.peer_mentor_id, a.activity_type_id, a.occurred_at,
           a.activity_date, a.duration_minutes, a.participant_count, a.registered_by, a.coordinator_id,
           a.status::text, a.duplicate_of is not null
    from public.activities a
    where a.id = any (%s)
"""
MAPPINGS = """
    select m.mapping_version, t.code, m.bufdir_category_code
    from public.bufdir_category_mappings m
    join public.activity_types t on t.id = m.activity_type_id
    where t.organization_id = %s
"""
RULES = """
    select t.code, r.valid_from, r.counts, r.min_duration_minutes, r.min_participants, r.source
    from public.counting_rules r
    join public.activity_types t on t.id = r.activity_type_id
    where r.organization_id = %s
"""
MINUTES = """
    select d.peer_mentor_id, d.activity_date, d.minutes
    from stats.daily_minutes d
    join public.profiles p on p.id = d.peer_mentor_id
    where p.organization_id = %s
"""
CORRECTED = """
    select distinct h.activity_id from public.activity_history h
    where h.organization_id = %s and h.changed_by is not null
"""


def read_state(
    connection: psycopg.Connection[tuple[Any, ...]], folder: Folder, ids: Iterable[uuid.UUID]
) -> State:
    """Read what is compared with the folder; `ids` are those of its activities."""

    def rows(query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return connection.execute(query.encode(), parameters).fetchall()

    slugs = [row.slug for row in folder.organizations]
    state = State()
    for row in rows(
        "select o.id, o.name, s.time_zone, s.max_chapter_assignments from public.organizations o "
        "join public.organization_settings s on s.organization_id = o.id where o.slug = any (%s)",
        slugs[:1],
    ):
        state.organization = StoredOrganization(*row)
    own = state.organization.id if state.organization else None
    emails = [person.email for person in folder.people]
    state.people = {row[0]: _person(row[1:]) for row in rows(PEOPLE, own, emails) if row[0]}
    state.activities = {row[0]: StoredActivity(*row[1:]) for row in rows(ACTIVITIES, list(ids))}
    if own is None:
        return state
    for name, *others in rows(UNITS, own):
        if name in state.units:
            state.ambiguous.add(name)
        state.units[name] = StoredUnit(*others)
    types = "select t.code, t.id, t.label from public.activity_types t where t.organization_id = %s"
    state.types = {code: (id_, label) for code, id_, label in rows(types, own)}
    state.categories = {(version, code): category for version, code, category in rows(MAPPINGS, own)}
    versions = (
        "select mapping_version, valid_from_year from public.bufdir_mapping_versions "
        "where organization_id = %s"
    )
    state.versions = dict(rows(versions, own))
    thresholds = (
        "select valid_from_year, bufdir_category_code, minimum_activity_count, at_risk_ratio "
        "from public.bufdir_thresholds where organization_id = %s"
    )
    state.thresholds = {(row[0], row[1]): (row[2], row[3]) for row in rows(thresholds, own)}
    state.rules = {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows(RULES, own)}
    if folder.activities:
        state.minutes = {(row[0], row[1]): row[2] for row in rows(MINUTES, own)}
        state.corrected = {row[0] for row in rows(CORRECTED, own)}
    locked = "select year from public.reporting_years where organization_id = %s and locked_at is not null"
    state.locked_years = {row[0] for row in rows(locked, own)}
    return state


def _person(row: tuple[Any, ...]) -> StoredPerson:
    stored = StoredPerson(*row)
    return stored._replace(chapters=tuple(stored.chapters))
