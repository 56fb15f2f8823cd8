"""Past activities: which each one is, whether it may be written, and whether it has to be."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tools.onboard.checks import is_chapter, kinds, repeated, type_codes, zone_name
from tools.onboard.files import Folder, Problem, problem
from tools.onboard.rows import FIRST_YEAR, LAST_YEAR, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.onboard.rows import Activity
    from tools.onboard.state import State, StoredActivity

NAMESPACE = uuid.UUID("0d2c9a0e-6f1b-5d0e-9a57-3f7f6c1d8b42")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Dated:
    """A line with its id, and its moment by the organisation's clock."""

    id: uuid.UUID
    occurred_at: dt.datetime
    row: Activity


@dataclass
class Sorted:
    """The lines by what becomes of them. `kept` were changed in Fersk since, and stay as they are."""

    added: list[Dated] = field(default_factory=list)
    changed: list[Dated] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0


def stable_id(slug: str, *words: object) -> uuid.UUID:
    """Give the id that these words always have in an organisation; a uuid is one already."""
    if len(words) == 1:
        try:
            return uuid.UUID(str(words[0]))
        except ValueError:
            pass
    return uuid.uuid5(NAMESPACE, "\x1f".join((slug, *map(str, words))))


def activity_ids(folder: Folder) -> list[uuid.UUID]:
    """Give the id of each line: of its reference, or else of what it says, and which of equal ones it is."""
    slug = folder.organizations[0].slug if folder.organizations else ""
    seen: Counter[tuple[object, ...]] = Counter()
    ids = []
    for row in folder.activities:
        if row.reference:
            ids.append(stable_id(slug, row.reference))
            continue
        facts = tuple(value for name, value in row if name != "line")
        ids.append(stable_id(slug, *facts, seen[facts]))
        seen[facts] += 1
    return ids


def sort(
    folder: Folder, state: State, ids: list[uuid.UUID], now: dt.datetime
) -> tuple[Sorted, list[Problem]]:
    """Tell what becomes of each line, and every problem of one that would be written."""
    problems = list(repeated(folder.activities, lambda row: row.reference, "this reference"))
    try:
        zone = ZoneInfo(zone_name(folder, state))
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")  # said already, of organization.csv
    checker = _Checker(folder, state, now.astimezone(zone))
    result = Sorted()
    written: list[Dated] = []
    for id_, row in zip(ids, folder.activities, strict=True):
        stored = state.activities.get(id_)
        if id_ in state.corrected:
            result.kept += 1
            continue
        occurred_at = dt.datetime.combine(row.date, row.time, zone).astimezone(dt.UTC)
        dated = Dated(id_, occurred_at, row)
        if stored and _is_same(dated, stored, state):
            result.unchanged += 1
            continue
        (result.changed if stored else result.added).append(dated)
        written.append(dated)
        problems += (problem(row, what) for what in checker.check(dated, stored))
    problems += _long_days(written, state)
    return result, problems


def _is_same(dated: Dated, stored: StoredActivity, state: State) -> bool:
    row = dated.row

    def person(email: str | None) -> uuid.UUID | None:
        found = state.people.get(email or "")
        return found.id if found else None

    unit, type_ = state.units.get(row.chapter), state.types.get(row.type)
    return (
        unit is not None
        and type_ is not None
        and stored.unit_id == unit.id
        and stored.activity_type_id == type_[0]
        and stored.peer_mentor_id == person(row.peer_mentor)
        and (row.registered_by is None or stored.registered_by == person(row.registered_by))
        and (row.coordinator is None or stored.coordinator_id == person(row.coordinator))
        and (stored.occurred_at, stored.day) == (dated.occurred_at, row.date)
        and (stored.minutes, stored.participants, stored.status)
        == (row.minutes, row.participants, row.status)
    )


class _Checker:
    """Knows what there will be, so that a hundred thousand lines take a second."""

    def __init__(self, folder: Folder, state: State, now: dt.datetime) -> None:
        self._kinds = kinds(folder, state)
        self._closed = {name: unit.closed_on for name, unit in state.units.items()}
        self._closed |= {unit.unit: unit.closed_on for unit in folder.units}
        self._types = type_codes(folder, state)
        self._people = {
            email
            for email, person in state.people.items()
            if person.role and person.organization_id == state.own_id
        }
        self._people |= {person.email for person in folder.people}
        self._people |= {email.lower() for email in folder.unread_names(Person)}
        self._state, self._now = state, now

    def check(self, dated: Dated, stored: StoredActivity | None) -> Iterator[str]:
        row = dated.row
        if stored and str(stored.organization_id) != self._state.own_id:
            yield "the reference is of an activity of another organisation"
        if row.type not in self._types:
            yield f"there is no type {row.type}"
        yield from self._place(row)
        for column in ("peer_mentor", "registered_by", "coordinator"):
            email = getattr(row, column)
            if email is not None and email not in self._people:
                yield f"{column} is not in people.csv, nor in the organisation"
        if not FIRST_YEAR <= row.date.year <= LAST_YEAR:
            yield f"the day must be between {FIRST_YEAR} and {LAST_YEAR}"
        elif row.status != "draft" and dated.occurred_at > self._now:
            yield "what has not taken place yet can only be a draft"
        for year in {row.date.year, stored.day.year if stored else row.date.year} & self._state.locked_years:
            yield f"{year} is locked"

    def _place(self, row: Activity) -> Iterator[str]:
        closed_on = self._closed.get(row.chapter)
        if not is_chapter(row.chapter, self._kinds):
            yield f"there is no chapter {row.chapter}"
        elif row.chapter in self._state.ambiguous:
            yield f"several chapters are called {row.chapter}"
        elif closed_on and row.date >= closed_on:
            yield f"{row.chapter} was closed on {closed_on}"


def _long_days(written: list[Dated], state: State) -> Iterator[Problem]:
    """Find the lines with which somebody has more than 24 hours on one day."""
    minutes: dict[tuple[str, dt.date], int] = defaultdict(int)
    emails = {person.id: email for email, person in state.people.items()}
    for (id_, day), stored_minutes in state.minutes.items():
        if id_ in emails:
            minutes[emails[id_], day] = stored_minutes
    for dated in written:  # what they were until now goes
        stored = state.activities.get(dated.id)
        if stored and stored.status == "registered" and not stored.is_duplicate:
            minutes[emails.get(stored.peer_mentor_id, ""), stored.day] -= stored.minutes
    for dated in written:
        stored, row = state.activities.get(dated.id), dated.row
        if row.status != "registered" or (stored and stored.is_duplicate):
            continue
        minutes[row.peer_mentor, row.date] += row.minutes
        if minutes[row.peer_mentor, row.date] > DAY_MINUTES:
            yield problem(row, f"with this line, the peer mentor has more than 24 hours on {row.date}")
