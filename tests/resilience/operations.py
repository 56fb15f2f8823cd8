"""Everything that may happen to activities, each as the one SQL statement that an application would send."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from tests.resilience.scene import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from tests.resilience.own_cluster import Connection
    from tests.resilience.scene import Activity


_COLUMN_LIST = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
_ROWS = sql.SQL("jsonb_populate_recordset(null::public.activities, %s)")
_SET_FROM_NEW = sql.SQL(", ").join(
    sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in COLUMNS if name != "id"
)
_INSERT = sql.SQL("insert into public.activities ({0}) select {0} from {1} n").format(_COLUMN_LIST, _ROWS)
_UPSERT = sql.SQL("{} on conflict (id) do update set {}").format(
    _INSERT,
    sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in COLUMNS if name != "id"
    ),
)
_MERGE = sql.SQL(
    "merge into public.activities a using (select * from {rows}) n on a.id = n.id "
    "when matched and n.status = 'rejected' then delete "
    "when matched then update set {set} "
    "when not matched then insert ({columns}) values ({values})"
).format(
    rows=_ROWS,
    set=_SET_FROM_NEW,
    columns=_COLUMN_LIST,
    values=sql.SQL(", ").join(sql.SQL("n.{}").format(sql.Identifier(name)) for name in COLUMNS),
)
# Fires the triggers of all three kinds of change at the end of one statement.
_REPLACE = sql.SQL(
    "with gone as (delete from public.activities where id = any(%s)), "
    "longer as (update public.activities set duration_minutes = duration_minutes %% 1440 + 1 "
    "where id = any(%s)) {}"
).format(_INSERT)


def _json(rows: Sequence[Activity]) -> Jsonb:
    return Jsonb([row.as_json() for row in rows])


@contextmanager
def unless_the_day_is_full(connection: Connection) -> Iterator[None]:
    """What would give a person more than 24 hours on a day is refused; the transaction it is in goes on."""
    try:
        with connection.transaction():
            yield
    except errors.CheckViolation as refused:
        if refused.diag.constraint_name != "activities_day_has_24_hours":
            raise


def insert(connection: Connection, rows: Sequence[Activity]) -> None:
    connection.execute(_INSERT, [_json(rows)])


def copy(connection: Connection, rows: Sequence[Activity], **also: str) -> None:
    """Other columns may be given as well, the same in each row."""
    columns = sql.SQL(", ").join(map(sql.Identifier, [*COLUMNS, *also]))
    statement = sql.SQL("copy public.activities ({}) from stdin").format(columns)
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row([*astuple(row), *also.values()])


def upsert(connection: Connection, rows: Sequence[Activity]) -> None:
    connection.execute(_UPSERT, [_json(rows)])


def merge(connection: Connection, rows: Sequence[Activity]) -> None:
    """Rejected rows that exist are deleted, others updated; the rest is inserted."""
    connection.execute(_MERGE, [_json(rows)])


def replace(
    connection: Connection, deleted: Sequence[UUID], edited: Sequence[UUID], rows: Sequence[Activity]
) -> None:
    """Delete, edit and insert in one statement; `deleted` and `edited` may not overlap."""
    withdraw_expenses(connection, deleted)
    connection.execute(_REPLACE, [list(deleted), list(edited), _json(rows)])


def edit(connection: Connection, ids: Sequence[UUID], column: str, row: Activity) -> None:
    """Give one column of several rows the value that it has in `row`."""
    statement = sql.SQL("update public.activities set {} = %s where id = any(%s)")
    connection.execute(statement.format(sql.Identifier(column)), [getattr(row, column), list(ids)])


def reassign(connection: Connection, ids: Sequence[UUID], mentor: UUID) -> None:
    """Move several rows to another peer mentor."""
    connection.execute(
        "update public.activities set peer_mentor_id = %s, registered_by = %s, is_proxy_registered = false "
        "where id = any(%s)",
        [mentor, mentor, list(ids)],
    )


def delete(connection: Connection, ids: Sequence[UUID]) -> None:
    withdraw_expenses(connection, ids)
    connection.execute("delete from public.activities where id = any(%s)", [list(ids)])


def withdraw_expenses(connection: Connection, ids: Sequence[UUID]) -> None:
    connection.execute("delete from public.expense_claims where activity_id = any(%s)", [list(ids)])


def claim_expense(connection: Connection, ids: Sequence[UUID], amount_nok: int) -> None:
    connection.execute(
        "insert into public.expense_claims (organization_id, activity_id, amount_nok) "
        "select organization_id, id, %s from public.activities where id = any(%s)",
        [amount_nok, list(ids)],
    )


def decide_expenses(connection: Connection, ids: Sequence[UUID], status: str) -> None:
    connection.execute(
        "update public.expense_claims set status = %s where activity_id = any(%s)", [status, list(ids)]
    )


def move_chapter(connection: Connection, chapter: UUID, region: UUID) -> None:
    """Move a chapter to another region of the tree."""
    connection.execute("update public.organization_units set parent_id = %s where id = %s", [region, chapter])
