"""`make types`: write to clients/ the types of the data layer, as the Supabase CLI generates them.

Postgres does not know that a column of a view is never null, so the generators call every one of them nullable. The
data layer's page does know, and a test holds it to that. So the types are generated from a database of their own, in
which the columns that the page calls "never" null have NOT NULL domains; the product's own views stay as they are,
because a domain in a view keeps filters from the indexes (docs/decisions/0006-types-know-more-than-views.md).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from local import migrations
from local.requirements import NODE_MODULES, ROOT
from tools.scratch import scratch

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = ROOT / "clients"
PAGE = ROOT / "docs" / "reference" / "data-layer.md"
HEADING = re.compile(r"^### `(?P<name>\w+)(?P<arguments>\([^`]*\))?`$")
ROW = re.compile(r"^\| `(?P<column>\w+)` \| `(?P<type>[^`]+)` \| (?P<null>[^|]+) \|")
FILES = {"typescript": CLIENTS / "typescript" / "database.types.ts", "python": CLIENTS / "python" / "database_types.py"}
HEADERS = {"typescript": "// Generated: make types\n\n", "python": "# Generated: make types\n\n"}
# What SQL functions give may be null, too; the generators take it for never null.
NULLABLE_RESULTS = {"search_units": {"parent_id", "parent_name"}}


def documented(page: Path = PAGE) -> dict[str, dict[str, tuple[str, str]]]:
    """Return {relation or function: {column: (type, null)}} as the page has it, in its order."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    name = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = HEADING.match(line)
            name = heading["name"] if heading else ""
        elif name and (row := ROW.match(line)):
            found.setdefault(name, {})[row["column"]] = (row["type"], row["null"].strip())
    return found


def declare(connection: psycopg.Connection) -> None:
    """Replace each documented view by one that says which of its columns are never null."""
    connection.execute("create schema never_null")
    views = {name for (name,) in connection.execute("select viewname from pg_views where schemaname = 'public'")}
    for view, columns in documented().items():
        if view not in views:
            continue
        expressions = []
        for column, (type_, null) in columns.items():
            name = sql.Identifier(column)
            if null != "never":
                expressions.append(name)
                continue
            domain = sql.Identifier("never_null", re.sub(r"\W+", "_", type_))
            connection.execute(
                sql.SQL("do $$ begin create domain {} as {} not null; exception when duplicate_object then end $$")
                .format(domain, sql.SQL(type_))  # type: ignore[arg-type]
            )
            expressions.append(sql.SQL("{}::{} as {}").format(name, domain, name))
        of = sql.Identifier("public", view)
        original = sql.Identifier(view)
        connection.execute(sql.SQL("alter view {} set schema never_null").format(of))
        connection.execute(
            sql.SQL("create view {} as select {} from never_null.{}").format(of, sql.SQL(", ").join(expressions), original)
        )


def render() -> dict[Path, str]:
    """Give the text of each file."""
    with scratch() as instance:
        url = instance.database_url("postgres")
        migrations.up(url)
        with psycopg.connect(url) as connection:
            declare(connection)
        return {
            file: HEADERS[language]
            + tidy(file, migrations.supabase("gen", "types", "--lang", language, "--schema", "public", database_url=url))
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
    command = [NODE_MODULES / ".bin" / "biome", "format", f"--stdin-file-path={file.name}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def main() -> None:
    """Write the files."""
    for file, text in render().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    if shutil.which("dart") is None:
        print("Dart: needs its SDK. In the app: dart run supabase_typegen, or make dart-client here.")


if __name__ == "__main__":
    main()
