"""What lines say of each other and of what the database has: everything that it would refuse, and more.

Activities have a module of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.onboard.files import Folder, Problem, problem
from tools.onboard.rows import KINDS, ActivityType, Person, Row, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from tools.onboard.state import State

R = TypeVar("R", bound=Row)
LEVELS = 5
UNREAD = ""
DEFAULT_ZONE = "Europe/Oslo"
DEFAULT_ASSIGNMENTS = 100


def check(folder: Folder, state: State) -> list[Problem]:
    """Give every problem but those of activities."""
    return [
        *_organization(folder),
        *_units(folder, state),
        *_people(folder, state),
        *_types_and_mappings(folder, state),
        *_rules(folder, state),
    ]


def zone_name(folder: Folder, state: State) -> str:
    """Where the organisation's days begin."""
    given = next((row.time_zone for row in folder.organizations if row.time_zone), None)
    return given or (state.organization.time_zone if state.organization else DEFAULT_ZONE)


def most_chapters(folder: Folder, state: State) -> int:
    """How many chapters one person may be assigned to."""
    given = next((row.max_chapter_assignments for row in folder.organizations), None)
    return given or (
        state.organization.max_chapter_assignments if state.organization else DEFAULT_ASSIGNMENTS
    )


def kinds(folder: Folder, state: State) -> dict[str, str]:
    """Give the kind of each unit that there will be."""
    stored = {name: unit.kind for name, unit in state.units.items()}
    unread = dict.fromkeys(folder.unread_names(Unit), UNREAD)
    return stored | unread | {unit.unit: unit.kind for unit in folder.units}


def is_chapter(name: str, known: dict[str, str]) -> bool:
    """Whether there will be such a chapter; of a unit whose line is wrong, that is all that is said."""
    return known.get(name) in {"local", UNREAD}


def type_codes(folder: Folder, state: State) -> set[str]:
    """Give the types that there will be."""
    return {*state.types, *(row.code for row in folder.types), *folder.unread_names(ActivityType)}


def repeated(rows: Iterable[R], key: Callable[[R], Hashable | None], what: str) -> Iterator[Problem]:
    """Find lines with the key of an earlier one."""
    seen: dict[Hashable, int] = {}
    for row in rows:
        value = key(row)
        if value is None:
            continue
        if value in seen:
            yield problem(row, f"{what} is in line {seen[value]} already")
        else:
            seen[value] = row.line


def _organization(folder: Folder) -> Iterator[Problem]:
    for row in folder.organizations[1:]:
        yield problem(row, "one folder is one organisation")
    for row in folder.organizations[:1]:
        try:
            ZoneInfo(row.time_zone or DEFAULT_ZONE)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield problem(row, "time_zone must be the full name of a time zone, such as Europe/Oslo")


def _units(folder: Folder, state: State) -> Iterator[Problem]:
    yield from repeated(folder.units, lambda row: row.unit, "this unit")
    known = kinds(folder, state)
    parents = {name: unit.parent for name, unit in state.units.items()}
    parents |= {unit.unit: unit.parent for unit in folder.units}
    roots = sorted(name for name, kind in known.items() if kind == "national")
    for unit in folder.units:
        what = _name(unit) or _unit(unit, state, known) or _way_up(unit.unit, parents)
        if what is None and unit.kind == "national" and len(roots) > 1:
            others = ", ".join(name for name in roots if name != unit.unit)
            what = f"an organisation has one national unit, and there is {others}"
        if what:
            yield problem(unit, what)
    if folder.organizations and not roots and UNREAD not in known.values():
        yield Problem("units.csv", 1, "there is no national unit")


def _name(unit: Unit) -> str | None:
    if unit.kind == "region" and re.search(r"\d{6}", unit.unit):
        return "the name of a region has six digits in a row, which reports do not show"
    return None


def _unit(unit: Unit, state: State, known: dict[str, str]) -> str | None:
    stored = state.units.get(unit.unit)
    if {unit.unit, unit.parent} & state.ambiguous:
        return "several units of the organisation have this name, or its parent's: rename them first"
    if (unit.parent is None) != (unit.kind == "national"):
        return "the national unit alone has no parent"
    if unit.parent is not None and unit.parent not in known:
        return f"there is no unit {unit.parent}"
    if (
        unit.parent is not None
        and known[unit.parent]
        and KINDS.index(known[unit.parent]) > KINDS.index(unit.kind)
    ):
        return f"{unit.parent} is a {known[unit.parent]} unit and cannot stand above a {unit.kind} one"
    if stored and stored.is_used and stored.kind != unit.kind:
        return f"the unit has people or activities, and stays a {stored.kind} one"
    return None


def _way_up(name: str, parents: dict[str, str | None]) -> str | None:
    at: str | None = name
    for _ in range(LEVELS):
        at = parents.get(at) if at else None
        if at is None:
            return None
    return "the tree has more than five levels, or a circle"


def _people(folder: Folder, state: State) -> Iterator[Problem]:
    yield from repeated(folder.people, lambda row: row.email, "this address")
    known, most = kinds(folder, state), most_chapters(folder, state)
    for person in folder.people:
        for what in _person(person, known, state, most):
            yield problem(person, what)
    named = {person.email for person in folder.people}
    admins = [person for person in folder.people if person.role == "org_admin" and person.active]
    stored = [
        email for email, person in state.people.items() if person.role == "org_admin" and person.is_active
    ]
    if not admins and not set(stored) - named and not folder.unread_names(Person):
        yield Problem("people.csv", 1, "nobody is an active org_admin: the organisation could not be run")


def _person(person: Person, known: dict[str, str], state: State, most: int) -> Iterator[str]:
    for name in person.chapters:
        if not is_chapter(name, known):
            yield f"there is no chapter {name}"
        elif name in state.ambiguous:
            yield f"several chapters are called {name}"
    yield from (f"{name} is named twice" for name, times in Counter(person.chapters).items() if times > 1)
    if len(person.chapters) > most:
        yield f"{len(person.chapters)} chapters, but one person may have {most} (max_chapter_assignments)"
    stored = state.people.get(person.email)
    if stored and stored.organization_id not in {None, state.own_id}:
        yield "the address belongs to somebody of another organisation"


def _types_and_mappings(folder: Folder, state: State) -> Iterator[Problem]:
    yield from repeated(folder.types, lambda row: row.code, "this type")
    yield from repeated(folder.mappings, lambda row: (row.version, row.type), "this type of the version")
    known = type_codes(folder, state)
    years: dict[int, int] = {}
    for row in folder.mappings:
        year = years.setdefault(row.version, row.valid_from_year)
        if row.type not in known:
            yield problem(row, f"there is no type {row.type}")
        if row.valid_from_year != year:
            yield problem(row, f"version {row.version} is valid from {year}, as said above")
        if row.version not in state.versions:
            yield from _locked(row, row.valid_from_year, state)
        elif (state.versions[row.version], state.categories.get((row.version, row.type))) != (
            row.valid_from_year,
            row.category,
        ):
            yield problem(row, f"version {row.version} is published: give what changes a new version")


def _rules(folder: Folder, state: State) -> Iterator[Problem]:
    yield from repeated(folder.thresholds, lambda row: (row.valid_from_year, row.category), "this threshold")
    yield from repeated(folder.rules, lambda row: (row.type, row.valid_from), "this rule")
    known = type_codes(folder, state)
    for row in folder.rules:
        if row.type not in known:
            yield problem(row, f"there is no type {row.type}")
        rule = (row.counts, row.min_minutes, row.min_participants, row.source)
        if state.rules.get((row.type, row.valid_from)) != rule:
            yield from _locked(row, row.valid_from.year, state)


def _locked(row: Row, year: int, state: State) -> Iterator[Problem]:
    latest = max(state.locked_years, default=0)
    if year <= latest:
        yield problem(row, f"{latest} is locked, and this would change what counted then")
