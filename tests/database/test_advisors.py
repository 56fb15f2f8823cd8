"""Supabase's own linters over the migrated database: only what is explained, and proof that they look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg

from local import migrations

if TYPE_CHECKING:
    from local.stack import Stack

# What a lint at INFO names, and why it stays.
WITHOUT_PRIMARY_KEY = {
    "stats.measures": "never holds a row: it lists the columns that others inherit",
    "stats.activity_changes": "a log of seconds: nothing looks a row up, and writers would meet on the index",
    "stats.tree_changes": "as above",
}
# Depends on what this database has done so far. That the indexes are used, test_read_plans.py shows, and
# that foreign keys and policies have theirs, 00_privileges.test.sql.
DEPENDS_ON_USE = "unused_index"

# Tables that no role of the API may touch, whatever their policies say; the service has no use for one.
CLOSED_TABLES = """
    select format('%s.%s', n.nspname, c.relname)
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'app', 'private', 'stats')
      and not exists (
        select from unnest('{anon,authenticated}'::regrole[]) r
        where has_table_privilege(r, c.oid, 'select, insert, update, delete')
           or has_any_column_privilege(r, c.oid, 'select, insert, update'))
"""


def findings(stack: Stack, command: str, level: str) -> list[dict[str, Any]]:
    """Run one of the CLI's linters; its answer is the one line of JSON in what it prints."""
    arguments = ("db", command, "--level", level, "--output-format", "json")
    printed = migrations.supabase(*arguments, database_url=stack.db_url)
    (answer,) = (line for line in printed.splitlines() if line.startswith("{"))
    results: list[dict[str, Any]] = json.loads(answer)["results"]
    return results


def test_advisors_find_nothing(stack: Stack) -> None:
    assert findings(stack, "advisors", "warn") == []


def test_advice_at_info_is_explained(stack: Stack) -> None:
    found: dict[str, set[str]] = {}
    for item in findings(stack, "advisors", "info"):
        if item["name"] != DEPENDS_ON_USE:
            found.setdefault(item["name"], set()).add(item["detail"].split("`")[1])
    with psycopg.connect(stack.db_url) as owner:
        closed = {table for (table,) in owner.execute(CLOSED_TABLES)}
    assert found.keys() <= {"no_primary_key", "rls_enabled_no_policy"}
    assert found["no_primary_key"] == WITHOUT_PRIMARY_KEY.keys()
    assert found["rls_enabled_no_policy"] - closed == set(), "deny-all, but granted to somebody"


def test_lint_finds_nothing(stack: Stack) -> None:
    assert findings(stack, "lint", "warning") == []


def test_both_find_what_is_wrong(stack: Stack) -> None:
    """The twin of the two above: a table open to everybody, and a function that cannot run."""
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        try:
            owner.execute("create table public.left_open (id integer)")
            owner.execute("grant select on public.left_open to anon")
            owner.execute(
                "create function public.misspelt() returns uuid language plpgsql set search_path = '' "
                "as $$ begin return (select o.idd from public.organizations o limit 1); end $$"
            )
            advice = findings(stack, "advisors", "warn")
            errors = findings(stack, "lint", "warning")
        finally:
            owner.execute("drop table if exists public.left_open")
            owner.execute("drop function if exists public.misspelt()")
    assert [(item["name"], item["detail"]) for item in advice] == [
        ("rls_disabled_in_public", "Table `public.left_open` is public, but RLS has not been enabled.")
    ]
    assert [(item["function"], item["issues"][0]["message"]) for item in errors] == [
        ("public.misspelt", "column o.idd does not exist")
    ]
