"""`make types`: write to clients/ the types of the data layer, as the Supabase CLI generates them.

Postgres does not know that a column of a view is never null, so the generators call all of them nullable. The
data layer's page does know, and a test holds it to that. So the types are generated from a database of their
own, in which the columns that the page calls "never" null have NOT NULL domains. The product's views stay as
they are: a domain in one keeps filters from the indexes (docs/decisions/0007-types-know-more-than-views.md).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING, LiteralString, cast

import psycopg
from psycopg import sql

from local import migrations
from local.requirements import NODE_MODULES, ROOT, node_directory
from tools.scratch import scratch

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = ROOT / "clients"
PAGE = ROOT / "docs" / "reference" / "data-layer.md"
HEADING = re.compile(r"^### `(?P<name>\w+)(?P<arguments>\([^`]*\))?`$")
ROW = re.compile(r"^\| `(?P<column>\w+)` \| `(?P<type>[^`]+)` \| (?P<null>[^|]+) \|")
FILES = {
    "typescript": CLIENTS / "typescript" / "database.types.ts",
    "python": CLIENTS / "python" / "database_types.py",
}
HEADERS = {"typescript": "// Generated: make types\n\n", "python": "# Generated: make types\n\n"}
# Straight from a table, whose constraints the generators see; so are its foreign keys, which a domain hides.
FROM_TABLES = {"chapters"}
# What SQL functions give may be null, too; the generators take it for never null.
NULLABLE_RESULTS = {"search_units": {"parent_id", "parent_name"}}


def documented(page: Path = PAGE) -> dict[str, dict[str, tuple[LiteralString, str]]]:
    """Return {relation or function: {column: (type, null)}} as the page has it, in its order."""
    found: dict[str, dict[str, tuple[LiteralString, str]]] = {}
    name = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = HEADING.match(line)
            name = heading["name"] if heading else ""
        elif name and (row := ROW.match(line)):
            type_ = cast("LiteralString", row["type"])
            found.setdefault(name, {})[row["column"]] = (type_, row["null"].strip())
    return found


def declare(connection: psycopg.Connection) -> None:
    """Replace each documented view by one that says which of its columns are never null."""
    connection.execute("create schema never_null")
    found = connection.execute("select viewname from pg_views where schemaname = 'public'")
    views = {name for (name,) in found} - FROM_TABLES
    for view, columns in documented().items():
        if view in views:
            expressions = [_expression(connection, column, *said) for column, said in columns.items()]
            listed, of = sql.SQL(", ").join(expressions), sql.Identifier("public", view)
            statement = sql.SQL(
                "alter view {0} set schema never_null; create view {0} as select {1} from {2}"
            )
            connection.execute(statement.format(of, listed, sql.Identifier("never_null", view)))


def _expression(
    connection: psycopg.Connection, column: str, type_: LiteralString, null: str
) -> sql.Composable:
    name = sql.Identifier(column)
    if null != "never":
        return name
    domain = f"of {type_}"
    if connection.execute("select 1 from pg_type where typname = %s", [domain]).fetchone() is None:
        statement = sql.SQL("create domain {} as {} not null")
        connection.execute(statement.format(sql.Identifier("never_null", domain), sql.SQL(type_)))
    return sql.SQL("{0}::{1} as {0}").format(name, sql.Identifier("never_null", domain))


def render() -> dict[Path, str]:
    """Give the text of each file."""
    with scratch() as instance:
        url = instance.database_url("postgres")
        migrations.up(url)
        with psycopg.connect(url) as connection:
            declare(connection)
        generate = partial(migrations.supabase, "gen", "types", "--schema", "public", database_url=url)
        return {
            file: HEADERS[language] + tidy(file, generate("--lang", language))
            for language, file in FILES.items()
        }


def tidy(file: Path, text: str) -> str:
    """Bring what is generated into a form in which a change can be read."""
    if file.suffix != ".ts":
        return text.strip() + "\n"
    for function, columns in NULLABLE_RESULTS.items():
        before, name, after = text.partition(f'"{function}":')
        end = after.index("}[]")
        returns = re.sub(rf'("(?:{"|".join(columns)})": \w+)', r"\1 | null", after[:end])
        text = before + name + returns + after[end:]
    command = [str(NODE_MODULES / ".bin" / "biome"), "format", f"--stdin-file-path={file.name}"]
    node = os.pathsep.join(filter(None, [str(node_directory() or ""), os.environ["PATH"]]))
    environment = {**os.environ, "PATH": node}
    done = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return str(done.stdout)


def main() -> None:
    """Write the files."""
    for file, text in render().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    if shutil.which("dart") is None:
        print("Dart: needs its SDK. In the app: dart run supabase_typegen, or make dart-client here.")


if __name__ == "__main__":
    main()
