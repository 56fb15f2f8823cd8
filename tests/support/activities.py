"""Activities that tests add past the API, as the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

COPIED = ("organization_id", "unit_id", "peer_mentor_id", "activity_type_id", "occurred_at")


def like_one(
    connection: psycopg.Connection[Any], condition: LiteralString, parameters: Sequence[object] = ()
) -> dict[str, Any]:
    """What an activity needs, as in the first one there is of which the condition is true."""
    query = f"select {', '.join(COPIED)} from public.activities where {condition} order by id limit 1"
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return dict(zip(COPIED, row, strict=True))


def add_activity(connection: psycopg.Connection[Any], **columns: object) -> UUID:
    """Insert an activity of an hour, registered by its peer mentor, unless the columns say otherwise."""
    values = {"duration_minutes": 60, "registered_by": columns["peer_mentor_id"]} | columns
    insert = sql.SQL("insert into public.activities ({}) values ({}) returning id").format(
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    row = connection.execute(insert, list(values.values())).fetchone()
    assert row is not None
    assert isinstance(row[0], UUID)
    return row[0]
