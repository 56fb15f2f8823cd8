"""Every kind of caller, every object of the exposed schema, every verb, against the reviewed table."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.database.privileges.cast import KINDS, Caller
from tests.database.privileges.catalog import Catalog
from tests.database.privileges.requests import FUNCTION_VERBS, RELATION_VERBS, Api
from tests.database.privileges.reviewed import Line, read

if TYPE_CHECKING:
    from local.stack import Stack

LINES = read()
AT_LEAST = 2_000
# What the other organisation's rows and ids may come to, whatever one's own do. What writes is not called by
# GET, whosever the ids: what it would do, its POST tells.
NOT_THERE = {"nothing", "closed", "policy", "refused", "read-only", "404 PT404"}


def unreviewed(catalog: Catalog) -> set[tuple[str, str]]:
    """Objects and verbs that are exposed and have no line, or the other way round, or two."""
    exposed = {
        *((name, verb) for name in catalog.relations for verb in RELATION_VERBS),
        *((f"rpc/{name}", verb) for name in catalog.functions for verb in FUNCTION_VERBS),
    }
    lines = Counter((line.name, verb) for line in LINES for verb in line.verbs)
    return {each for each in exposed | lines.keys() if (each in exposed, lines[each]) != (True, 1)}


def outcomes(api: Api, callers: list[Caller], line: Line) -> tuple[Line, dict[str, str]]:
    """The line as it is found, and what was reached in the other organisation."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    reached: dict[str, str] = {}
    for verb in line.verbs:
        for caller in callers:
            for case in api.cases(line.name, verb, caller):
                outcome = api.outcome(case)
                if not case.is_foreign or caller.kind == "service":
                    found[caller.kind].add(outcome)
                elif outcome not in NOT_THERE:
                    reached[case.title] = outcome
    return Line(line.name, line.verbs, {k: " or ".join(sorted(found[k])) for k in KINDS}), reached


def test_every_object_and_verb_has_one_line(catalog: Catalog) -> None:
    assert unreviewed(catalog) == set()


def test_every_table_has_rows_of_both_organisations(catalog: Catalog) -> None:
    """The twin of every `nothing`: there would be something to see. New tables are filled in furniture.py."""
    tables = {name for name, relation in catalog.relations.items() if relation.is_table}
    assert {slug: tables - catalog.rows[slug].keys() for slug in ("nhf", "hlf")} == {
        "nhf": set(),
        "hlf": set(),
    }


@pytest.mark.parametrize("line", LINES, ids=[f"{line.name} {' '.join(line.verbs)}" for line in LINES])
def test_outcomes_are_as_reviewed(api: Api, callers: list[Caller], line: Line) -> None:
    as_found, reached = outcomes(api, callers, line)
    # As text: the line as found is to be reviewed, and taken over where it is right.
    assert (str(as_found), reached) == (str(line), {})


def test_there_are_enough_cases(api: Api, callers: list[Caller], capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        case
        for line in LINES
        for verb in line.verbs
        for caller in callers
        for case in api.cases(line.name, verb, caller)
    }
    objects = {case.name for case in cases}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(cases)} privilege cases: {len(callers)} callers, {len(objects)} objects\n")
    assert len(cases) >= AT_LEAST


def test_an_object_without_a_line_would_show(stack: Stack) -> None:
    with psycopg.connect(stack.db_url) as owner:
        owner.execute("create table public.made_later (id integer primary key)")
        owner.execute("create function public.done_later() returns integer language sql as 'select 1'")
        later = Catalog.read(owner)
        owner.rollback()
    shown = unreviewed(later)
    assert shown == {
        *(("made_later", verb) for verb in RELATION_VERBS),
        *(("rpc/done_later", verb) for verb in FUNCTION_VERBS),
    }


def test_a_leak_would_show(stack: Stack, api: Api, callers: list[Caller]) -> None:
    """With one policy too many, every answer to somebody else names what it shows."""
    (line,) = (line for line in LINES if (line.name, line.verbs[0]) == ("activity_types", "GET"))
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute("create policy leak on public.activity_types for select to authenticated using (true)")
        try:
            as_found, reached = outcomes(api, callers, line)
        finally:
            owner.execute("drop policy leak on public.activity_types")
    assert as_found.outcomes["stranger"].startswith("foreign: ")
    for kind in ("no profile", "deactivated", "peer mentor", "coordinator", "org admin"):
        assert reached[f"GET activity_types of hlf by {kind} of nhf"].startswith("foreign: ")
    assert outcomes(api, callers, line) == (line, {})
