"""Writes many rows of a table in one statement, and sign-ins as the Auth server would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

NO_INSTANCE = "00000000-0000-0000-0000-000000000000"


def insert(
    connection: Connection,
    table: tuple[str, str],
    rows: Sequence[dict[str, Any]],
    *,
    key: Sequence[str] = (),
) -> None:
    """Insert rows, all with the same columns, in one statement.

    Those that are there already stay; or with the columns of a `key`, they become what is given.
    """
    if not rows:
        return
    columns = [*rows[0]]
    changed = [column for column in columns if column not in key]
    conflict = (
        sql.SQL("({}) do update set {}").format(
            _names(key),
            sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in changed
            ),
        )
        if key
        else sql.SQL("do nothing")
    )
    statement = sql.SQL(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, %s)"
        " on conflict {conflict}"
    ).format(table=sql.Identifier(*table), columns=_names(columns), conflict=conflict)
    connection.execute(statement, (json.dumps(rows, default=str),))


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def insert_sign_ins(
    connection: Connection, people: Iterable[tuple[str, str]], organization_id: str, password: str
) -> None:
    """Make sign-ins of ids and addresses, all with one password: for local use only.

    One bcrypt hash for all: computing thousands of them would take minutes.
    """
    row = connection.execute(
        "select extensions.crypt(%s, extensions.gen_salt('bf', 6)), now()", [password]
    ).fetchone()
    if row is None:
        raise AssertionError("a select without a table gives one row")
    password_hash, now = row
    people = list(people)
    metadata: dict[str, object] = {"provider": "email", "providers": ["email"], "org_id": organization_id}
    users = [_user(id_, email, metadata, password_hash, now) for id_, email in people]
    insert(connection, ("auth", "users"), users)
    insert(connection, ("auth", "identities"), [_identity(id_, email, now) for id_, email in people])


def _user(
    id_: str, email: str, metadata: dict[str, object], password_hash: str, now: dt.datetime
) -> dict[str, Any]:
    return {
        "instance_id": NO_INSTANCE,
        "id": id_,
        "aud": "authenticated",
        "role": "authenticated",
        "email": email,
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


def _identity(id_: str, email: str, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "provider_id": id_,
        "user_id": id_,
        "identity_data": {"sub": id_, "email": email, "email_verified": True},
        "provider": "email",
        "last_sign_in_at": now,
        "created_at": now,
        "updated_at": now,
    }
