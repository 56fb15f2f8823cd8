"""Writes activities, thousands in one statement: the triggers of the change log work once for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg import sql

from tools.onboard.activities import stable_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.onboard.activities import Dated
    from tools.onboard.write import Connection, Ids

# What a later run may change. When it was registered and whom it was with is written once: what the retention
# has forgotten does not come back.
FACTS = {
    "unit_id": "uuid",
    "peer_mentor_id": "uuid",
    "coordinator_id": "uuid",
    "activity_type_id": "uuid",
    "occurred_at": "timestamptz",
    "activity_date": "date",
    "duration_minutes": "integer",
    "participant_count": "integer",
    "registered_by": "uuid",
    "status": "public.activity_status",
}
COLUMNS = ("id", "organization_id", "recorded_at", "contact_id", "is_proxy_registered", *FACTS)
# Who is not named stays: the peer mentor themselves, or whoever it was.
REGISTERED_BY = (
    "coalesce(r.registered_by, case when a.is_proxy_registered then a.registered_by end, r.peer_mentor_id)"
)
CHANGES = {name: f"r.{name}" for name in FACTS} | {
    "coordinator_id": "coalesce(r.coordinator_id, a.coordinator_id)",
    "registered_by": REGISTERED_BY,
    "is_proxy_registered": f"{REGISTERED_BY} <> r.peer_mentor_id",
}


def facts(line: Dated, ids: Ids) -> dict[str, Any]:
    """Give what the line says; null for people whom it does not name."""
    row = line.row
    return {
        "unit_id": ids.units[row.chapter],
        "peer_mentor_id": ids.people[row.peer_mentor],
        "coordinator_id": ids.people[row.coordinator] if row.coordinator else None,
        "activity_type_id": ids.types[row.type],
        "occurred_at": line.occurred_at,
        "activity_date": row.date,
        "duration_minutes": row.minutes,
        "participant_count": row.participants,
        "registered_by": ids.people[row.registered_by] if row.registered_by else None,
        "status": row.status,
    }


def insert(connection: Connection, lines: Sequence[Dated], ids: Ids) -> None:
    """Write new ones."""
    statement = sql.SQL("copy public.activities ({}) from stdin").format(
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            row = _whole(line, ids)
            copy.write_row([row[column] for column in COLUMNS])


def _whole(line: Dated, ids: Ids) -> dict[str, Any]:
    said, row = facts(line, ids), line.row
    registered_by = said["registered_by"] or said["peer_mentor_id"]
    contact = stable_id(ids.organization, "contact", row.contact) if row.contact else None
    return said | {
        "id": line.id,
        "organization_id": ids.organization,
        # of before Fersk: not late, unless the file says so
        "recorded_at": row.recorded_on or line.occurred_at,
        "contact_id": contact,
        "registered_by": registered_by,
        "is_proxy_registered": registered_by != said["peer_mentor_id"],
        # as the database would, but asked for once
        "coordinator_id": said["coordinator_id"] or ids.coordinators.get(said["unit_id"]),
    }


def update(connection: Connection, lines: Sequence[Dated], ids: Ids) -> None:
    """Write what changed of those that are there."""
    changes = ", ".join(f"{name} = {value}" for name, value in CHANGES.items())
    given = ", ".join(f"{name} {type_}" for name, type_ in FACTS.items())
    statement = (
        f"update public.activities a set {changes} "  # noqa: S608 - constants
        f"from jsonb_to_recordset(%s) r (id uuid, {given}) where a.id = r.id"
    )
    rows = [{"id": line.id, **facts(line, ids)} for line in lines]
    connection.execute(statement.encode(), (json.dumps(rows, default=str),))
