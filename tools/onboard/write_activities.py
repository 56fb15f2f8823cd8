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

# What a later run may change. Who registered it and whom it was with is written once: what the retention has
# forgotten does not come back.
FACTS = {
    "unit_id": "uuid",
    "peer_mentor_id": "uuid",
    "coordinator_id": "uuid",
    "activity_type_id": "uuid",
    "occurred_at": "timestamptz",
    "activity_date": "date",
    "duration_minutes": "integer",
    "participant_count": "integer",
    "is_proxy_registered": "boolean",
    "registered_by": "uuid",
    "status": "public.activity_status",
}
COLUMNS = ("id", "organization_id", "recorded_at", "contact_id", *FACTS)


def values(line: Dated, ids: Ids) -> dict[str, Any]:
    """Give a row of the table."""
    row = line.row
    mentor, unit = ids.people[row.peer_mentor], ids.units[row.chapter]
    registered_by = ids.people[row.registered_by or row.peer_mentor]
    return {
        "id": line.id,
        "organization_id": ids.organization,
        # of before Fersk: not late, unless the file says so
        "recorded_at": row.recorded_on or line.occurred_at,
        "contact_id": stable_id(ids.organization, "contact", row.contact) if row.contact else None,
        "unit_id": unit,
        "peer_mentor_id": mentor,
        # as the database would, but asked for once
        "coordinator_id": ids.people[row.coordinator] if row.coordinator else ids.coordinators.get(unit),
        "activity_type_id": ids.types[row.type],
        "occurred_at": line.occurred_at,
        "activity_date": row.date,
        "duration_minutes": row.minutes,
        "participant_count": row.participants,
        "is_proxy_registered": registered_by != mentor,
        "registered_by": registered_by,
        "status": row.status,
    }


def insert(connection: Connection, lines: Sequence[Dated], ids: Ids) -> None:
    """Write new ones."""
    statement = sql.SQL("copy public.activities ({}) from stdin").format(
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            row = values(line, ids)
            copy.write_row([row[column] for column in COLUMNS])


def update(connection: Connection, lines: Sequence[Dated], ids: Ids) -> None:
    """Write what changed of those that are there."""
    statement = sql.SQL(
        "update public.activities a set {} from jsonb_to_recordset(%s) r (id uuid, {}) where a.id = r.id"
    ).format(
        sql.SQL(", ").join(sql.SQL("{0} = r.{0}").format(sql.Identifier(name)) for name in FACTS),
        sql.SQL(", ").join(
            sql.SQL(f"{{}} {type_}").format(sql.Identifier(name)) for name, type_ in FACTS.items()
        ),
    )
    rows = [
        {name: value for name, value in values(line, ids).items() if name in {"id", *FACTS}} for line in lines
    ]
    connection.execute(statement, (json.dumps(rows, default=str),))
