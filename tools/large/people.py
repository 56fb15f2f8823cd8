"""Write the organisation of the large data set, its units and its people; what is there already stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools import bulk
from tools.large.population import (
    CATEGORIES,
    CHAPTERS_PER_COORDINATOR,
    NAME,
    SLUG,
    TYPES,
    Population,
    type_id,
)

if TYPE_CHECKING:
    import psycopg


def write(connection: psycopg.Connection, population: Population) -> None:
    """Insert what is missing, and give everybody the password `password`: for local use only."""
    organization_id = population.organization_id
    bulk.insert(
        connection, ("public", "organizations"), [{"id": organization_id, "slug": SLUG, "name": NAME}]
    )
    connection.execute(
        "update public.organization_settings set max_chapter_assignments = %s where organization_id = %s",
        (CHAPTERS_PER_COORDINATOR, organization_id),
    )
    units = [{**vars(unit), "organization_id": organization_id} for unit in population.units]
    bulk.insert(connection, ("public", "organization_units"), units)
    types = [
        {"id": type_id(code), "organization_id": organization_id, "code": code, "label": label}
        for code, label in TYPES
    ]
    bulk.insert(connection, ("public", "activity_types"), types)
    categories = [
        {"mapping_version": 1, "activity_type_id": type_id(code), "bufdir_category_code": category}
        for code, category in CATEGORIES.items()
    ]
    bulk.insert(connection, ("public", "bufdir_category_mappings"), categories)
    version = {"organization_id": organization_id, "mapping_version": 1, "valid_from_year": 2000}
    bulk.insert(connection, ("public", "bufdir_mapping_versions"), [version])
    people = ((person.id, person.email) for person in population.people)
    bulk.insert_sign_ins(connection, people, organization_id, "password")
    _write_profiles(connection, population)


def _write_profiles(connection: psycopg.Connection, population: Population) -> None:
    organization_id = population.organization_id
    profiles = [
        {
            "id": person.id,
            "organization_id": organization_id,
            "role": person.role,
            "display_name": person.name,
            "is_active": True,
        }
        for person in population.people
    ]
    assignments = [
        {
            "profile_id": person.id,
            "unit_id": chapter,
            "organization_id": organization_id,
            "is_primary": position == 0,
        }
        for person in population.people
        for position, chapter in enumerate(person.chapters)
    ]
    bulk.insert(connection, ("public", "profiles"), profiles)
    bulk.insert(connection, ("public", "chapter_assignments"), assignments)
