"""Supabase's own linters over the migrated database: nothing at WARN or above, and proof that they look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg

from local import migrations

if TYPE_CHECKING:
    from local.stack import Stack


def findings(stack: Stack, command: str, level: str) -> list[dict[str, Any]]:
    """Run one of the CLI's linters; its answer is the one line of JSON in what it prints."""
    arguments = ("db", command, "--level", level, "--output-format", "json")
    printed = migrations.supabase(*arguments, database_url=stack.db_url)
    (answer,) = (line for line in printed.splitlines() if line.startswith("{"))
    results: list[dict[str, Any]] = json.loads(answer)["results"]
    return results


def test_advisors_find_nothing(stack: Stack) -> None:
    assert findings(stack, "advisors", "warn") == []


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
