"""What was committed and what was read, compared offline: a read is the sum of what its snapshot could see.

Row triggers of the test's own, which share no code with those under test, write each change with its
transaction's number into a ledger, in that transaction. A read is kept with pg_current_snapshot() of its own
statement. A snapshot (xmin:xmax:xip) sees the transactions below xmax that are not in xip; so what it could
see is decided afterwards, from the ledger alone, and it does not matter who waited for whom.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from tests.resilience.comparison import COUNTS, DAY, FOLLOWER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.resilience.own_cluster import Connection

# What counts is said once more on purpose, as in comparison.py.
_LEDGER: LiteralString = f"""
    create schema history;
    create table history.activities (
        xid xid8 not null default pg_current_xact_id(), sign integer not null, chapter uuid, mentor uuid,
        coordinator uuid, kind uuid, day date, minutes integer, participants integer, contact uuid,
        approved numeric);
    create table history.parents (
        xid xid8 not null default pg_current_xact_id(), sign integer not null, unit uuid, parent uuid);
    create table history.categories (
        xid xid8 not null default pg_current_xact_id(), sign integer not null, kind uuid, code text);

    create function history.log_activity(sign integer, a public.activities) returns void language sql as $$
        insert into history.activities
            (sign, chapter, mentor, coordinator, kind, day, minutes, participants, contact, approved)
        select sign, a.unit_id, a.peer_mentor_id, {FOLLOWER}, a.activity_type_id,
               {DAY}, a.duration_minutes, a.participant_count,
               a.contact_id, a.approved_expenses_nok
        where {COUNTS} $$;
    create function history.log_activities() returns trigger language plpgsql as $$ begin
        if tg_op <> 'INSERT' then perform history.log_activity(-1, old); end if;
        if tg_op <> 'DELETE' then perform history.log_activity(1, new); end if;
        return null;
    end $$;
    create function history.log_parents() returns trigger language plpgsql as $$ begin
        insert into history.parents (sign, unit, parent)
        values (-1, old.id, old.parent_id), (1, new.id, new.parent_id);
        return null;
    end $$;
    create function history.log_categories() returns trigger language plpgsql as $$ begin
        insert into history.categories (sign, kind, code)
        values (-1, old.activity_type_id, old.bufdir_category_code),
               (1, new.activity_type_id, new.bufdir_category_code);
        return null;
    end $$;
    create trigger history after insert or update or delete on public.activities
        for each row execute function history.log_activities();
    create trigger history after update on public.organization_units
        for each row execute function history.log_parents();
    create trigger history after update on public.bufdir_category_mappings
        for each row execute function history.log_categories();

    select history.log_activity(1, a) from public.activities a;
    insert into history.parents (sign, unit, parent) select 1, id, parent_id from public.organization_units;
    insert into history.categories (sign, kind, code)
    select 1, m.activity_type_id, m.bufdir_category_code from public.bufdir_category_mappings m
    join public.activity_types t on t.id = m.activity_type_id
    where m.mapping_version = (select max(v.mapping_version) from public.bufdir_mapping_versions v
                               where v.organization_id = t.organization_id);
"""


def keep_ledger(connection: Connection) -> None:
    """From now on; needs the superuser, and gives the writers what they need."""
    connection.execute(_LEDGER)
    connection.execute("grant usage on schema history to postgres")
    connection.execute("grant insert, select on all tables in schema history to postgres")


class Fact(NamedTuple):
    """An activity that counts; ids are text, as in the JSON of the reads."""

    chapter: str
    mentor: str
    coordinator: str | None
    kind: str
    day: str
    minutes: int
    participants: int
    contact: str | None
    approved: Decimal


class Parent(NamedTuple):
    """Where a unit stands in the tree."""

    unit: str
    parent: str | None


class Category(NamedTuple):
    """How an activity type is reported."""

    kind: str
    code: str


Row = Fact | Parent | Category


@dataclass(frozen=True)
class Snapshot:
    """The text form of a pg_snapshot: which transactions it sees."""

    xmax: int
    in_progress: frozenset[int]

    @staticmethod
    def parse(text: str) -> Snapshot:
        _, xmax, running = text.split(":")
        return Snapshot(int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))


@dataclass(frozen=True)
class Read:
    """One answer, and the snapshot it was given in.

    `until` is a snapshot taken after it, where the answer's own cannot be had: then the answer is decided
    only if nothing was committed between the two.
    """

    what: str  # a name in EXPECTED
    key: tuple[str, int] | None  # of a summary: unit and year
    snapshot: str
    answer: Any
    isolation: str
    until: str | None = None


def parse_json(text: str | None) -> Any:
    """Numbers with a point as they are written, not as the nearest double."""
    return None if text is None else json.loads(text, parse_float=Decimal)


# ---------------------------------------------------------------- what is so


def hours(minutes: int) -> Decimal:
    return (Decimal(minutes) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Truth:
    """What was committed in one snapshot."""

    def __init__(self, rows: Counter[Row]) -> None:
        self._rows = rows

    @cached_property
    def facts(self) -> list[tuple[Fact, int]]:
        return [(row, number) for row, number in self._rows.items() if isinstance(row, Fact)]

    @cached_property
    def parents(self) -> dict[str, str | None]:
        return {row.unit: row.parent for row in self._rows if isinstance(row, Parent)}

    @cached_property
    def categories(self) -> dict[str, str]:
        return {row.kind: row.code for row in self._rows if isinstance(row, Category)}

    def summed(self, key: Callable[[Fact], Any]) -> dict[Any, list[Any]]:
        """Activities, minutes and approved expenses by any key; None is no key."""
        sums: dict[Any, list[Any]] = {}
        for fact, number in self.facts:
            at = key(fact)
            if at is not None:
                entry = sums.setdefault(at, [0, 0, Decimal(0)])
                entry[0] += number
                entry[1] += number * fact.minutes
                entry[2] += number * fact.approved
        return sums

    def chapter_stats(self, _key: object) -> list[Any]:
        mentors = Counter(chapter for chapter, _ in self.summed(lambda f: (f.chapter, f.mentor)))
        sums = self.summed(lambda f: f.chapter)
        return [[chapter, n, hours(m), mentors[chapter]] for chapter, (n, m, _) in sums.items()]

    def peer_mentor_stats(self, _key: object) -> list[Any]:
        last: dict[Any, str] = {}
        for fact, _ in self.facts:
            at = (fact.mentor, fact.chapter)
            last[at] = max(last.get(at, ""), fact.day)
        sums = self.summed(lambda f: (f.mentor, f.chapter))
        return [[*at, n, hours(m), last[at]] for at, (n, m, _) in sums.items()]

    def activity_time_series(self, _key: object) -> list[Any]:
        return [[*at, n, hours(m)] for at, (n, m, _) in self.summed(lambda f: (f.day, f.chapter)).items()]

    def coordinator_monthly_stats(self, _key: object) -> list[Any]:
        sums = self.summed(lambda f: f.coordinator and (f.coordinator, f.day[:7] + "-01", f.kind))
        return [[*at, n, m, hours(m), approved] for at, (n, m, approved) in sums.items()]

    def months(self, _key: object) -> list[Any]:
        """Months that are not empty: get_activity_series."""
        return [[at, n, hours(m)] for at, (n, m, _) in self.summed(lambda f: f.day[:7] + "-01").items()]

    def coordinators_months(self, key: tuple[str, int]) -> list[Any]:
        """Months of one coordinator that are not empty: get_monthly_series."""
        sums = self.summed(lambda f: f.day[:7] + "-01" if f.coordinator == key[0] else None)
        return [[at, n, m, hours(m), approved] for at, (n, m, approved) in sums.items()]

    def summary(self, key: tuple[str, int]) -> dict[str, Any]:
        unit, year = key
        inside = {
            chapter for chapter in {fact.chapter for fact, _ in self.facts} if self._is_below(chapter, unit)
        }
        facts = [(f, n) for f, n in self.facts if f.chapter in inside and f.day[:4] == str(year)]
        categories: Counter[str] = Counter()
        for fact, number in facts:
            categories[self.categories.get(fact.kind, "uncategorised")] += number
        return {
            "activity_count": sum(n for _, n in facts),
            "total_hours": hours(sum(f.minutes * n for f, n in facts)),
            "participant_count": sum(f.participants * n for f, n in facts),
            "distinct_contacts": len({f.contact for f, _ in facts} - {None}),
            "active_peer_mentors": len({f.mentor for f, _ in facts}),
            "chapters_reporting": len({f.chapter for f, _ in facts}),
            "categories": dict(categories),
            "approved_expenses_nok": sum((f.approved * n for f, n in facts), Decimal(0)),
        }

    def _is_below(self, chapter: str, unit: str) -> bool:
        at: str | None = chapter
        while at is not None and at != unit:
            at = self.parents.get(at)
        return at is not None


EXPECTED: dict[str, Callable[[Truth, Any], Any]] = {
    "chapter_stats": Truth.chapter_stats,
    "peer_mentor_stats": Truth.peer_mentor_stats,
    "activity_time_series": Truth.activity_time_series,
    "coordinator_monthly_stats": Truth.coordinator_monthly_stats,
    "get_activity_series": Truth.months,
    "get_monthly_series": Truth.coordinators_months,
    "hierarchy": Truth.summary,
}


class Ledger:
    """Everything that was committed, loaded after the load has ended."""

    def __init__(self, connection: Connection) -> None:
        # by transaction
        self.changes: dict[int, Counter[Row]] = {}
        self._load(
            connection,
            Fact,
            "select xid::text, sign, chapter::text, mentor::text, coordinator::text, "
            "kind::text, day::text, minutes, participants, contact::text, approved from history.activities",
        )
        self._load(
            connection, Parent, "select xid::text, sign, unit::text, parent::text from history.parents"
        )
        self._load(connection, Category, "select xid::text, sign, kind::text, code from history.categories")
        self._xids = sorted(self.changes)

    def _load(self, connection: Connection, kind: type[Row], query: LiteralString) -> None:
        for xid, sign, *values in connection.execute(query):
            self.changes.setdefault(int(xid), Counter())[kind(*values)] += sign

    def seen(self, snapshot: Snapshot) -> tuple[int, frozenset[int]]:
        """Which of the ledger's transactions it sees: so many of the first ones, without these."""
        return (
            bisect_left(self._xids, snapshot.xmax),
            frozenset(xid for xid in snapshot.in_progress if xid in self.changes),
        )

    def visible(self, snapshot: str) -> set[int]:
        """The same in full."""
        number, without = self.seen(Snapshot.parse(snapshot))
        return set(self._xids[:number]) - without

    def violations(self, reads: Iterable[Read]) -> tuple[list[str], int]:
        """Describe each read that is not what its snapshot could see; and count those decided."""
        decided = 0
        found: list[str] = []
        base: Counter[Row] = Counter()
        included = 0
        truth_of: tuple[object, Truth] | None = None
        ordered = sorted(reads, key=lambda read: Snapshot.parse(read.snapshot).xmax)
        for read in ordered:
            seen = self.seen(Snapshot.parse(read.snapshot))
            if read.until and self.seen(Snapshot.parse(read.until)) != seen:
                continue
            decided += 1
            number, without = seen
            for xid in self._xids[included:number]:
                _add(base, self.changes[xid], 1)
            included = number
            if truth_of is None or truth_of[0] != seen:
                rows = base.copy()
                for xid in without:
                    _add(rows, self.changes[xid], -1)
                truth_of = (seen, Truth(rows))
            true = EXPECTED[read.what](truth_of[1], read.key)
            if not _same(read.answer, true):
                found.append(
                    f"{read.what} {read.key} at {read.snapshot} ({read.isolation}): "
                    f"read {read.answer}, true {true}"
                )
        return found, decided


def _add(rows: Counter[Row], change: Counter[Row], times: int) -> None:
    for row, number in change.items():
        rows[row] += times * number
        if not rows[row]:
            del rows[row]


def _same(answer: Any, true: Any) -> bool:
    if isinstance(true, list):
        return sorted(answer or [], key=_row_key) == sorted(true, key=_row_key)
    return bool(answer == true)


def _row_key(row: list[Any]) -> str:
    """An order of rows by their keys, which are text; numbers may be written differently."""
    return "|".join(value for value in row if isinstance(value, str))
