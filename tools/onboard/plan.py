"""The whole folder against what the database has: every problem, or what will be added and changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tools.onboard import activities, checks
from tools.onboard.rows import Row

if TYPE_CHECKING:
    import datetime as dt
    import uuid
    from collections.abc import Callable, Iterable

    from tools.onboard.activities import Sorted
    from tools.onboard.files import Folder, Problem
    from tools.onboard.rows import ActivityType, Mapping, Organization, Person, Rule, Threshold, Unit
    from tools.onboard.state import State

R = TypeVar("R", bound=Row)


@dataclass
class Changes(Generic[R]):
    """The lines of one file by what becomes of them."""

    added: list[R] = field(default_factory=list)
    changed: list[R] = field(default_factory=list)
    unchanged: int = 0

    @property
    def written(self) -> list[R]:
        """Those that have to be written."""
        return self.added + self.changed


@dataclass
class Plan:
    """What is to be written."""

    organization: Changes[Organization]
    units: Changes[Unit]
    types: Changes[ActivityType]
    mappings: Changes[Mapping]
    thresholds: Changes[Threshold]
    rules: Changes[Rule]
    people: Changes[Person]
    activities: Sorted
    without_sign_in: list[Person]
    """Those of `people` who cannot sign in yet."""

    def summary(self) -> list[tuple[str, int, int, int]]:
        """Give what is added, changed and unchanged of each kind."""
        kinds: dict[str, Changes[Any] | Sorted] = {
            "organisation": self.organization,
            "units": self.units,
            "types": self.types,
            "categories": self.mappings,
            "thresholds": self.thresholds,
            "rules": self.rules,
            "people": self.people,
            "activities": self.activities,
        }
        return [
            (kind, len(changes.added), len(changes.changed), changes.unchanged)
            for kind, changes in kinds.items()
        ]

    def is_empty(self) -> bool:
        """Whether everything is there already."""
        return not any(added or changed for _, added, changed, _ in self.summary())


def make(
    folder: Folder, state: State, ids: list[uuid.UUID], now: dt.datetime
) -> tuple[Plan | None, list[Problem]]:
    """Compare. There is a plan only where there is no problem."""
    if None in folder.unread.values():
        return None, []  # what refers to a file that could not be read would all be wrong
    problems = checks.check(folder, state)
    sorted_, more = activities.sort(folder, state, ids, now)
    problems += more
    if problems or not folder.organizations:
        return None, problems
    people = _compare(folder.people, lambda row: _person(row, state))
    return Plan(
        _compare(folder.organizations, lambda row: _organization(row, state)),
        _compare(folder.units, lambda row: _unit(row, state)),
        _compare(
            folder.types,
            lambda row: state.types[row.code][1] == row.label if row.code in state.types else None,
        ),
        _compare(folder.mappings, lambda row: _mapping(row, state)),
        _compare(
            folder.thresholds,
            lambda row: _same(
                state.thresholds.get((row.valid_from_year, row.category)), (row.minimum, row.at_risk_ratio)
            ),
        ),
        _compare(
            folder.rules,
            lambda row: _same(
                state.rules.get((row.type, row.valid_from)),
                (row.counts, row.min_minutes, row.min_participants, row.source),
            ),
        ),
        people,
        sorted_,
        [
            row
            for row in people.written
            if row.email not in state.people or not state.people[row.email].is_invited
        ],
    ), []


def _compare(rows: Iterable[R], is_same: Callable[[R], bool | None]) -> Changes[R]:
    """Sort lines; `is_same` gives None for what is new."""
    changes: Changes[R] = Changes()
    for row in rows:
        same = is_same(row)
        if same:
            changes.unchanged += 1
        else:
            (changes.added if same is None else changes.changed).append(row)
    return changes


def _same(stored: tuple[object, ...] | None, given: tuple[object, ...]) -> bool | None:
    return None if stored is None else stored == given


def _organization(row: Organization, state: State) -> bool | None:
    stored = state.organization
    return stored and (
        stored.name == row.name
        and row.time_zone in {None, stored.time_zone}
        and row.max_chapter_assignments in {None, stored.max_chapter_assignments}
    )


def _unit(row: Unit, state: State) -> bool | None:
    stored = state.units.get(row.unit)
    return stored and (stored.kind, stored.parent, stored.closed_on) == (row.kind, row.parent, row.closed_on)


def _mapping(row: Mapping, state: State) -> bool | None:
    stored = state.categories.get((row.version, row.type))
    return None if stored is None else stored == row.category and row.version in state.versions


def _person(row: Person, state: State) -> bool | None:
    stored = state.people.get(row.email)
    if stored is None or stored.role is None:
        return None
    return (
        stored.is_invited
        and (stored.role, stored.name, stored.is_active) == (row.role, row.name, row.active)
        and set(stored.chapters) == set(row.chapters)
        and (not row.chapters or (stored.has_primary and stored.chapters[0] == row.chapters[0]))
    )
