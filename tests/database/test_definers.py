"""The register of what runs with its owner's rights (docs/reference/definers.md) against the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from local.requirements import ROOT

if TYPE_CHECKING:
    from local.stack import Stack

REGISTER = ROOT / "docs" / "reference" / "definers.md"
ROW = re.compile(r"^\| `(?P<name>[a-z_.]+)` \| (?P<callers>[a-z ]+) \| (?P<reason>\S.+) \|$", re.MULTILINE)

FUNCTIONS = """
    select format('%s.%s', n.nspname, p.proname),
           case when has_function_privilege('authenticated', p.oid, 'execute') then 'authenticated'
                when has_function_privilege('service_role', p.oid, 'execute') then 'service role'
                when p.prorettype = 'trigger'::regtype then 'trigger'
                else 'owner' end
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.prosecdef and n.nspname in ('public', 'app', 'private', 'stats')
"""
VIEWS = """
    select format('%s.%s', n.nspname, c.relname),
           case when has_table_privilege('authenticated', c.oid, 'select') then 'authenticated'
                else 'service role' end
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'v' and n.nspname in ('public', 'app', 'private', 'stats')
      and not coalesce(c.reloptions && array['security_invoker=on', 'security_invoker=true'], false)
      and (has_table_privilege('anon', c.oid, 'select')
           or has_table_privilege('authenticated', c.oid, 'select')
           or has_table_privilege('service_role', c.oid, 'select'))
"""


def test_register_and_database_agree(stack: Stack) -> None:
    rows = [match.groupdict() for match in ROW.finditer(REGISTER.read_text(encoding="utf-8"))]
    registered = {(row["name"], row["callers"]) for row in rows}
    assert len(registered) == len(rows)
    with psycopg.connect(stack.db_url) as connection:
        found = connection.execute(FUNCTIONS).fetchall() + connection.execute(VIEWS).fetchall()
    assert len(found) == len(set(found))  # one name, one reason: no overloads
    assert registered == set(found)


def test_every_line_of_the_register_is_read() -> None:
    """A row with a typo in its form must not fall out of the comparison unseen."""
    lines = [line for line in REGISTER.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert lines
    assert [line for line in lines if not ROW.fullmatch(line)] == []
