"""Where recognisable values turned up: in the logs of a stack, and in any table of its database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.stack import Stack

# Whatever a log is about, none of these has business there.
SECRET_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}"  # a token
    r"|sb_(?:secret|publishable)_\w+"
    r"|whsec_[\w+/]{8,}"
    r"|postgres(?:ql)?://\w+:[^@\s]+@"
    r"|[\w.-]+@(?:nhf|hlf|blindeforbundet|barnekreftforeningen)\.example"
)

RELATIONS = """
    select n.nspname, c.relname
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'p') and c.relispopulated
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
    union all
    values ('extensions', 'pg_stat_statements')
"""
# As JSON a row shows all its columns as text; bytea is shown in hexadecimal.
FOUND = """
    select distinct s.name, c.key
    from {relation} t
    cross join jsonb_each_text(to_jsonb(t)) c
    join unnest(%(names)s::text[], %(values)s::text[]) s (name, value)
        on position(s.value in c.value) > 0
        or position(encode(convert_to(s.value, 'UTF8'), 'hex') in c.value) > 0
"""


def secrets_of(stack: Stack) -> dict[str, str]:
    """What was generated for this stack, and is known to nobody else; keys for publication are left out."""
    published = ("publishable_key", "anon_key")
    return {name: value for name, value in vars(stack.instance.secrets).items() if name not in published}


def in_logs(stack: Stack, values: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which of the values stand in which log, as (name, file)."""
    texts = {file.name: file.read_text("utf-8", "replace") for file in stack.instance.logs.iterdir()}
    return {(name, file) for file, text in texts.items() for name, value in values.items() if value in text}


def shapes_in_logs(stack: Stack) -> set[tuple[str, str]]:
    """What looks like a secret or like one of the seed's people, as (file, beginning)."""
    return {
        (file.name, match[0][:12])
        for file in stack.instance.logs.iterdir()
        for match in SECRET_SHAPES.finditer(file.read_text("utf-8", "replace"))
    }


def in_tables(stack: Stack, values: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which of the values stand in which column, as (name, schema.table.column)."""
    given = {"names": list(values), "values": list(values.values())}
    found = set()
    with psycopg.connect(stack.admin_db_url) as admin:
        for schema, table in admin.execute(RELATIONS).fetchall():
            query = sql.SQL(FOUND).format(relation=sql.Identifier(schema, table))
            for name, column in admin.execute(query, given):
                found.add((name, f"{schema}.{table}.{column}"))
        admin.rollback()
    return found
