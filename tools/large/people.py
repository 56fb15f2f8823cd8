"""Write the organisation of the large data set, its units and its people; what is there already stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg import sql

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

NO_INSTANCE = "00000000-0000-0000-0000-000000000000"


def write(connection: psycopg.Connection, population: Population) -> None:
    """Insert what is missing, and give everybody the password `password`: for local use only."""
    organization_id = population.organization_id
    _insert(connection, "public", "organizations", [{"id": organization_id, "slug": SLUG, "name": NAME}])
    connection.execute(
        "update public.organization_settings set max_chapter_assignments = %s where organization_id = %s",
        (CHAPTERS_PER_COORDINATOR, organization_id),
    )
    units = [{**vars(unit), "organization_id": organization_id} for unit in population.units]
    _insert(connection, "public", "organization_units", units)
    types = [
        {"id": type_id(code), "organization_id": organization_id, "code": code, "label": label}
        for code, label in TYPES
    ]
    _insert(connection, "public", "activity_types", types)
    categories = [
        {"mapping_version": 1, "activity_type_id": type_id(code), "bufdir_category_code": category}
        for code, category in CATEGORIES.items()
    ]
    _insert(connection, "public", "bufdir_category_mappings", categories)
    version = {"organization_id": organization_id, "mapping_version": 1, "valid_from_year": 2000}
    _insert(connection, "public", "bufdir_mapping_versions", [version])
    _write_sign_ins(connection, population)
    _write_profiles(connection, population)


def _write_sign_ins(connection: psycopg.Connection, population: Population) -> None:
    """One bcrypt hash for all: computing thousands of them would take minutes."""
    row = connection.execute(
        "select extensions.crypt('password', extensions.gen_salt('bf', 6)), now()::text"
    ).fetchone()
    if row is None:
        raise AssertionError("a select without a table gives one row")
    password_hash, now = row
    metadata = {"provider": "email", "providers": ["email"], "org_id": population.organization_id}
    users = [
        {
            "instance_id": NO_INSTANCE,
            "id": person.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": person.email,
            "encrypted_password": password_hash,
            "email_confirmed_at": now,
            "raw_app_meta_data": metadata,
            "raw_user_meta_data": {},
            "created_at": now,
            "updated_at": now,
            "confirmation_token": "",
            "recovery_token": "",
            "email_change_token_new": "",
            "email_change": "",
        }
        for person in population.people
    ]
    identities = [
        {
            "id": person.id,
            "provider_id": person.id,
            "user_id": person.id,
            "identity_data": {"sub": person.id, "email": person.email, "email_verified": True},
            "provider": "email",
            "last_sign_in_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for person in population.people
    ]
    _insert(connection, "auth", "users", users)
    _insert(connection, "auth", "identities", identities)


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
    _insert(connection, "public", "profiles", profiles)
    _insert(connection, "public", "chapter_assignments", assignments)


def _insert(connection: psycopg.Connection, schema: str, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows, all with the same columns, in one statement; those that are there already stay."""
    statement = sql.SQL(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, %s)"
        " on conflict do nothing"
    ).format(
        table=sql.Identifier(schema, table),
        columns=sql.SQL(", ").join(sql.Identifier(column) for column in rows[0]),
    )
    connection.execute(statement, (json.dumps(rows),))
