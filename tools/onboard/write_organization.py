"""Writes the organisation, what it decided, and its people: each table in one statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools import bulk
from tools.onboard.activities import stable_id
from tools.onboard.checks import DEFAULT_ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.onboard.files import Folder
    from tools.onboard.plan import Plan
    from tools.onboard.rows import Person
    from tools.onboard.state import State
    from tools.onboard.write import Connection, Ids

SETTINGS = """
    update public.organization_settings s
    set time_zone = coalesce(%(zone)s, s.time_zone),
        max_chapter_assignments = coalesce(%(most)s, s.max_chapter_assignments)
    where s.organization_id = %(id)s
      and (s.time_zone, s.max_chapter_assignments) is distinct from
          (coalesce(%(zone)s, s.time_zone), coalesce(%(most)s, s.max_chapter_assignments))
"""
# In this order, so that neither the limit nor the one primary chapter stands in the way of an exchange.
ASSIGNMENTS = (
    """
    create temp table given on commit drop as
    select * from jsonb_to_recordset(%(rows)s) r (profile_id uuid, unit_id uuid, is_primary boolean)
    """,
    """
    delete from public.chapter_assignments a
    where a.profile_id = any (%(people)s)
      and not exists (select from pg_temp.given g
                      where (g.profile_id, g.unit_id) = (a.profile_id, a.unit_id))
    """,
    """
    update public.chapter_assignments a set is_primary = false from pg_temp.given g
    where (g.profile_id, g.unit_id) = (a.profile_id, a.unit_id) and a.is_primary and not g.is_primary
    """,
    """
    insert into public.chapter_assignments (profile_id, unit_id, organization_id, is_primary)
    select g.profile_id, g.unit_id, %(organization)s, g.is_primary from pg_temp.given g
    where not exists (select from public.chapter_assignments a
                      where (g.profile_id, g.unit_id) = (a.profile_id, a.unit_id))
    """,
    """
    update public.chapter_assignments a set is_primary = true from pg_temp.given g
    where (g.profile_id, g.unit_id) = (a.profile_id, a.unit_id) and g.is_primary and not a.is_primary
    """,
)


def write(connection: Connection, folder: Folder, state: State, plan: Plan, ids: Callable[[], Ids]) -> None:
    """Write the organisation, its units, types and rules; `ids` reads what there is by now."""
    (row,) = folder.organizations
    if plan.organization.added:
        bulk.insert(connection, ("public", "organizations"), [{"slug": row.slug, "name": row.name}])
    if plan.organization.written:
        own = ids().organization
        connection.execute("update public.organizations set name = %s where id = %s", [row.name, own])
        zone = row.time_zone or (None if state.organization else DEFAULT_ZONE)
        connection.execute(SETTINGS, {"zone": zone, "most": row.max_chapter_assignments, "id": own})
    _write_units(connection, plan, ids())
    types = [
        {"organization_id": ids().organization, "code": type_.code, "label": type_.label}
        for type_ in plan.types.written
    ]
    bulk.insert(connection, ("public", "activity_types"), types, key=["organization_id", "code"])
    _write_rules(connection, state, plan, ids())


def _write_units(connection: Connection, plan: Plan, ids: Ids) -> None:
    """Write all in one statement: the tree is checked after it."""
    known = dict(ids.units)
    for unit in plan.units.added:
        known[unit.unit] = str(stable_id(ids.organization, "unit", unit.unit))
    units = [
        {
            "id": known[unit.unit],
            "organization_id": ids.organization,
            "parent_id": known[unit.parent] if unit.parent else None,
            "kind": unit.kind,
            "name": unit.unit,
            "closed_on": unit.closed_on,
        }
        for unit in plan.units.written
    ]
    bulk.insert(connection, ("public", "organization_units"), units, key=["id"])


def _write_rules(connection: Connection, state: State, plan: Plan, ids: Ids) -> None:
    own = ids.organization
    categories = [
        {
            "mapping_version": row.version,
            "activity_type_id": ids.types[row.type],
            "bufdir_category_code": row.category,
        }
        for row in plan.mappings.written
    ]
    key = ["mapping_version", "activity_type_id"]
    bulk.insert(connection, ("public", "bufdir_category_mappings"), categories, key=key)
    versions = {
        row.version: {
            "organization_id": own,
            "mapping_version": row.version,
            "valid_from_year": row.valid_from_year,
        }
        for row in plan.mappings.written
        if row.version not in state.versions
    }
    bulk.insert(connection, ("public", "bufdir_mapping_versions"), [*versions.values()])
    thresholds = [
        {
            "organization_id": own,
            "valid_from_year": row.valid_from_year,
            "bufdir_category_code": row.category,
            "minimum_activity_count": row.minimum,
            "at_risk_ratio": row.at_risk_ratio,
        }
        for row in plan.thresholds.written
    ]
    key = ["organization_id", "bufdir_category_code", "valid_from_year"]
    bulk.insert(connection, ("public", "bufdir_thresholds"), thresholds, key=key)
    rules = [
        {
            "organization_id": own,
            "activity_type_id": ids.types[row.type],
            "valid_from": row.valid_from,
            "counts": row.counts,
            "min_duration_minutes": row.min_minutes,
            "min_participants": row.min_participants,
            "source": row.source,
        }
        for row in plan.rules.written
    ]
    key = ["organization_id", "activity_type_id", "valid_from"]
    bulk.insert(connection, ("public", "counting_rules"), rules, key=key)


def write_people(connection: Connection, people: Sequence[Person], ids: Ids) -> None:
    """Give sign-ins their profiles, and people exactly their chapters."""
    if not people:
        return
    profiles: list[dict[str, Any]] = [
        {
            "id": ids.people[person.email],
            "organization_id": ids.organization,
            "role": person.role,
            "display_name": person.name,
            "is_active": person.active,
        }
        for person in people
    ]
    bulk.insert(connection, ("public", "profiles"), profiles, key=["id"])
    rows = [
        {
            "profile_id": ids.people[person.email],
            "unit_id": ids.units[chapter],
            "is_primary": chapter == person.chapters[0],
        }
        for person in people
        for chapter in person.chapters
    ]
    values = {
        "rows": json.dumps(rows),
        "people": [ids.people[person.email] for person in people],
        "organization": ids.organization,
    }
    for statement in ASSIGNMENTS:
        connection.execute(statement, values)
