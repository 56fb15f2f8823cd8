"""What a rollback would take away, found by running it in a transaction that is undone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from local import migrations
from local.errors import StackError
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Connection = psycopg.Connection[tuple[Any, ...]]

COUNTED_ROWS = 1_000_000  # of a table that is probably larger, the planner's estimate has to do
# Generated columns hold nothing that is not elsewhere.
COLUMNS = """
    select n.nspname, c.relname, a.attname
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    order by n.nspname, c.relname, a.attnum
"""
OTHERS = """
    select case c.relkind when 'v' then 'view' else 'materialised view' end, c.oid::regclass::text
    from pg_catalog.pg_class c where c.relkind in ('v', 'm')
    union all
    select 'function', p.oid::regprocedure::text from pg_catalog.pg_proc p
    union all
    select 'policy', format('%I on %s', p.polname, p.polrelid::regclass) from pg_catalog.pg_policy p
"""
DELETED = """
    select schemaname, relname, n_tup_del from pg_catalog.pg_stat_xact_user_tables
    where n_tup_del > 0 order by schemaname, relname
"""


@dataclass(frozen=True)
class Loss:
    """What goes with a migration.

    data   : a line for each table and column that goes, and for each table that loses rows.
    others : how many other objects go, by kind.
    """

    version: str
    file: Path
    data: list[str]
    others: Counter[str]

    def lines(self) -> Iterator[str]:
        """Say it, the file first."""
        yield f"{self.file.relative_to(self.file.parents[2])} undoes migration {self.version}"
        yield from (f"  lost: {line}" for line in self.data or ["no stored data"])
        if self.others:
            counts = (_count(number, kind) for kind, number in sorted(self.others.items()))
            yield f"  gone, and made again by the migration: {', '.join(counts)}"


def rehearse(database_url: str, *, project: Path = ROOT) -> Loss | None:
    """Run the latest migration's rollback and undo it. Returns what it takes away; None without migrations.

    Raises StackError if its rollback is missing, or fails.
    """
    latest = migrations.latest_rollback(database_url, project=project)
    if latest is None:
        return None
    version, file = latest
    with psycopg.connect(database_url) as connection:
        try:
            data, others = _compare(connection, file.read_bytes())
        except psycopg.Error as error:
            raise StackError(f"nothing was undone: rollback {file.name} would fail: {error}") from error
        finally:
            connection.rollback()
    return Loss(version, file, data, others)


def _compare(connection: Connection, script: bytes) -> tuple[list[str], Counter[str]]:
    """Run the script between two looks at the catalog, go back, and count what only the first look saw."""
    connection.execute("set local lock_timeout = '5s'")
    columns, others = connection.execute(COLUMNS).fetchall(), set(connection.execute(OTHERS))
    connection.execute("savepoint before")
    connection.execute(script)
    left = set(connection.execute(COLUMNS))
    kinds = Counter(kind for kind, _ in others - set(connection.execute(OTHERS)))
    deleted = connection.execute(DELETED).fetchall()
    connection.execute("rollback to savepoint before")

    tables = {column[:2] for column in left}
    gone = dict.fromkeys(
        column if column[:2] in tables else column[:2] for column in columns if column not in left
    )
    lines = [
        f"{'table' if len(name) == 2 else 'column'} {'.'.join(name)}: {_rows(connection, *name)}"
        for name in sorted(gone, key=len)
    ]
    lines += [f"in {schema}.{table}: {_count(number, 'row')}" for schema, table, number in deleted]
    return lines, kinds


def _rows(connection: Connection, schema: str, table: str, column: str | None = None) -> str:
    """Say how many rows a table has, or in how many of them a column has a value."""
    name, what = sql.Identifier(schema, table), sql.Identifier(column) if column else sql.SQL("*")
    [(estimate,)] = connection.execute(
        "select reltuples from pg_catalog.pg_class where oid = %s::regclass", [name.as_string(connection)]
    )
    if estimate > COUNTED_ROWS:
        return f"about {int(estimate):,} rows"
    [(number,)] = connection.execute(sql.SQL("select count({}) from {}").format(what, name))
    return _count(number, "value" if column else "row")


def _count(number: int, noun: str) -> str:
    plural = "policies" if noun == "policy" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
