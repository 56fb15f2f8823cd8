"""Whatever becomes of activities and of the tree: every figure of an org admin is the same plain sum."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple
from uuid import UUID, uuid5

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

    Connection = psycopg.Connection[tuple[Any, ...]]

EXPLORE = int(os.environ.get("FERSK_EXPLORE", "0"))  # that many new histories instead of the same ones
NAMES = UUID("0b0dd3a2-6a55-4f0a-9f2e-6f7f2f3f7d10")
YEARS = (2025, 2026)
KINDS = ["national", "region", "district", "local"]
# name → (parent, kind)
TREE = {
    "root": (None, "national"),
    "north": ("root", "region"),
    "south": ("root", "region"),
    "fjord": ("north", "district"),
    "a": ("north", "local"),
    "b": ("fjord", "local"),
    "c": ("south", "local"),
    "d": ("root", "local"),
}
MENTORS, COORDINATORS = ["mons", "tuva"], ["kaja", "knut"]


def named(name: str) -> UUID:
    return uuid5(NAMES, name)


class Activity(NamedTuple):
    """What the model knows of one; `follower` is whom it names."""

    unit: str
    mentor: str
    year: int
    minutes: int
    status: str
    original: int | None
    coordinator: str | None


class Step(NamedTuple):
    what: str
    first: int
    second: int


ACTIONS = [
    "register",
    "register",
    "register",
    "lengthen",
    "draft",
    "reject",
    "confirm",
    "move activity",
    "delete",
    "mark",
    "mark",
    "unmark",
    "move unit",
    "move unit",
    "close unit",
    "change kind",
    "assign",
    "dismiss",
    "fold",
]
STEPS = st.lists(
    st.builds(Step, st.sampled_from(ACTIONS), st.integers(0, 11), st.integers(0, 11)),
    min_size=5,
    max_size=30,
)


class Model:
    """The organisation as it should be: plain dictionaries, no SQL."""

    def __init__(self) -> None:
        self.parents = {unit: parent for unit, (parent, _) in TREE.items()}
        self.kinds = {unit: kind for unit, (_, kind) in TREE.items()}
        self.activities: dict[int, Activity] = {}
        self.assigned = {("kaja", "a"), ("kaja", "b"), ("knut", "c")}

    def above(self, unit: str) -> list[str]:
        """The unit and what is above it."""
        path = [unit]
        while (parent := self.parents[path[-1]]) is not None:
            path.append(parent)
        return path

    def region(self, unit: str) -> str | None:
        return next((at for at in self.above(unit) if self.kinds[at] == "region"), None)

    def follower(self, activity: Activity) -> str | None:
        here = sorted(who for who, unit in self.assigned if unit == activity.unit)
        if not here or activity.coordinator in here:
            return activity.coordinator
        return min(here, key=lambda who: named(who).bytes)

    def counting(self, year: int | None = None) -> list[Activity]:
        return [
            a
            for a in self.activities.values()
            if a.status == "registered" and a.original is None and year in {None, a.year}
        ]

    def settle(self, number: int) -> None:
        """Of those that are one, the first that is registered counts; what others name comes first."""
        members = {n: a for n, a in self.activities.items() if number in {n, a.original}}
        if number in members and len(members) == 1:
            return
        heir = min(members, key=lambda n: (members[n].status != "registered", n != number, n), default=None)
        for n, a in members.items():
            self.activities[n] = a._replace(original=None if n == heir else heir)


class Play:
    """Each step is done in the database and in the model; what the database refuses, the model foresees."""

    def __init__(self, db: Connection) -> None:
        self.db, self.model, self.last = db, Model(), 0
        self.organization = named("organization")

    def attempt(self, statement: LiteralString, *values: object) -> bool:
        try:
            with self.db.transaction():
                self.db.execute(statement, values)
        except psycopg.errors.CheckViolation:
            return False
        return True

    def play(self, step: Step) -> None:
        numbers = sorted(self.model.activities)
        name = step.what.replace(" ", "_")
        if step.what in {"register", "move unit", "close unit", "change kind", "assign", "dismiss", "fold"}:
            getattr(self, name)(step.first, step.second)
        elif numbers:
            getattr(self, name)(numbers[step.first % len(numbers)], step.second)

    def register(self, place: int, how: int) -> None:
        unit, mentor = list(TREE)[place % len(TREE)], MENTORS[how % 2]
        coordinator = [*COORDINATORS, None][how % 3]
        self.last += 1
        year, minutes = YEARS[how % 2], 10 + how
        self.db.execute(
            "insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,"
            " coordinator_id, activity_type_id, occurred_at, duration_minutes, participant_count)"
            " values (%s, %s, %s, %s, %s, %s, %s, make_date(%s, 3, 1 + %s), %s, 2)",
            (
                named(f"activity {self.last}"),
                self.organization,
                named(unit),
                named(mentor),
                named(mentor),
                coordinator and named(coordinator),
                named("talk"),
                year,
                self.last % 20,
                minutes,
            ),
        )
        if coordinator is None:
            here = [who for who, at in self.model.assigned if at == unit]
            coordinator = min(here, key=lambda who: named(who).bytes, default=None)
        self.model.activities[self.last] = Activity(
            unit, mentor, year, minutes, "registered", None, coordinator
        )

    def lengthen(self, number: int, by: int) -> None:
        self.db.execute(
            "update public.activities set duration_minutes = duration_minutes + %s where id = %s",
            (by, named(f"activity {number}")),
        )
        activity = self.model.activities[number]
        self.model.activities[number] = activity._replace(minutes=activity.minutes + by)

    def _set_status(self, number: int, status: str) -> None:
        self.db.execute(
            "update public.activities set status = %s where id = %s", (status, named(f"activity {number}"))
        )
        activity = self.model.activities[number]
        self.model.activities[number] = activity._replace(status=status)
        if activity.status != status:
            self.model.settle(activity.original or number)

    def draft(self, number: int, _: int) -> None:
        self._set_status(number, "draft")

    def reject(self, number: int, _: int) -> None:
        self._set_status(number, "rejected")

    def confirm(self, number: int, _: int) -> None:
        self._set_status(number, "registered")

    def move_activity(self, number: int, to: int) -> None:
        """It is then followed up where it is, unless nobody does."""
        unit = list(TREE)[to % len(TREE)]
        self.db.execute(
            "update public.activities set unit_id = %s where id = %s",
            (named(unit), named(f"activity {number}")),
        )
        activity = self.model.activities[number]
        if activity.unit != unit:
            here = [who for who, at in self.model.assigned if at == unit]
            coordinator = min(here, key=lambda who: named(who).bytes, default=None)
            self.model.activities[number] = activity._replace(unit=unit, coordinator=coordinator)

    def delete(self, number: int, _: int) -> None:
        self.db.execute("delete from public.activities where id = %s", (named(f"activity {number}"),))
        gone = self.model.activities.pop(number)
        if gone.original is None:
            self.model.settle(number)

    def mark(self, number: int, place: int) -> None:
        """Only what counts has duplicates, and no duplicate has any."""
        numbers = sorted(self.model.activities)
        original = numbers[place % len(numbers)]
        found = self.model.activities[original]
        allowed = (
            original != number
            and found.status == "registered"
            and found.original is None
            and number not in {a.original for a in self.model.activities.values()}
        )
        if self.model.activities[number].original == original:
            allowed = True  # as it is
        assert allowed is self.attempt(
            "update public.activities set duplicate_of = %s where id = %s",
            named(f"activity {original}"),
            named(f"activity {number}"),
        )
        if allowed:
            self.model.activities[number] = self.model.activities[number]._replace(original=original)

    def unmark(self, number: int, _: int) -> None:
        self.db.execute(
            "update public.activities set duplicate_of = null where id = %s", (named(f"activity {number}"),)
        )
        self.model.activities[number] = self.model.activities[number]._replace(original=None)

    def move_unit(self, which: int, where: int) -> None:
        unit, parent = list(TREE)[which % len(TREE)], list(TREE)[where % len(TREE)]
        if unit == "root":
            return
        kinds = self.model.kinds
        allowed = KINDS.index(kinds[parent]) <= KINDS.index(kinds[unit]) and unit not in self.model.above(
            parent
        )
        trial = self.model.parents | {unit: parent}
        if allowed:
            self.model.parents, before = trial, self.model.parents
            allowed = max(len(self.model.above(at)) for at in TREE) <= 5
            self.model.parents = trial if allowed else before
        assert allowed is self.attempt(
            "update public.organization_units set parent_id = %s where id = %s", named(parent), named(unit)
        )

    def close_unit(self, which: int, month: int) -> None:
        """Or open it again: it counts as before."""
        self.db.execute(
            "update public.organization_units set closed_on = make_date(2025, nullif(%s, 0), 1)"
            " where id = %s",
            (month, named(list(TREE)[which % len(TREE)])),
        )

    def change_kind(self, which: int, how: int) -> None:
        unit, kind = list(TREE)[which % len(TREE)], ["district", "local"][how % 2]
        if unit == "root" or self.model.kinds[unit] == "region":
            return
        before = self.model.kinds[unit]
        rank = KINDS.index(kind)
        parent = self.model.parents[unit]
        below = [self.model.kinds[child] for child, at in self.model.parents.items() if at == unit]
        allowed = (before == kind) or (
            unit not in {a.unit for a in self.model.activities.values()}
            and unit not in {at for _, at in self.model.assigned}
            and KINDS.index(self.model.kinds[parent or "root"]) <= rank
            and all(rank <= KINDS.index(child) for child in below)
        )
        assert allowed is self.attempt(
            "update public.organization_units set kind = %s::public.unit_kind where id = %s",
            kind,
            named(unit),
        )
        if allowed:
            self.model.kinds[unit] = kind

    def assign(self, who: int, where: int) -> None:
        coordinator, unit = COORDINATORS[who % 2], list(TREE)[where % len(TREE)]
        allowed = self.model.kinds[unit] == "local"
        assert allowed is self.attempt(
            "insert into public.chapter_assignments (profile_id, unit_id, organization_id)"
            " values (%s, %s, %s) on conflict do nothing",
            named(coordinator),
            named(unit),
            self.organization,
        )
        if allowed:
            self.model.assigned.add((coordinator, unit))

    def dismiss(self, who: int, where: int) -> None:
        pair = COORDINATORS[who % 2], list(TREE)[where % len(TREE)]
        self.db.execute(
            "delete from public.chapter_assignments where profile_id = %s and unit_id = %s",
            (named(pair[0]), named(pair[1])),
        )
        self.model.assigned.discard(pair)

    def fold(self, _: int, __: int) -> None:
        self.db.execute("select stats.fold()")

    # ---------------------------------------------------------------- what is said, and what is so

    def is_so(self) -> None:
        model = self.model
        chapters = sums((named(a.unit), a.minutes) for a in model.counting())
        assert self.as_admin("select chapter_id, activity_count, total_hours from public.chapter_stats") == {
            unit: (n, hours(m)) for unit, (n, m) in chapters.items()
        }
        followed = sums((model.follower(a), a.minutes) for a in model.counting())
        followed.pop(None, None)
        assert self.as_admin(
            "select coordinator_id, sum(activity_count), 0 from public.coordinator_monthly_stats group by 1"
        ) == {named(str(who)): (n, 0) for who, (n, _) in followed.items()}
        for year in YEARS:
            self.is_so_in(year, model.counting(year))

    def is_so_in(self, year: int, counting: list[Activity]) -> None:
        whole = sums((year, a.minutes) for a in counting).get(year, (0, 0))
        series = self.as_admin(
            "select 1, sum((s ->> 'activity_count')::integer), sum((s ->> 'total_hours')::numeric) from"
            " jsonb_array_elements(public.get_activity_series(p_year => %s, p_bucket => 'year')) s",
            year,
        )
        days = self.as_admin(
            "select 1, coalesce(sum(activity_count), 0), 0 from public.activity_time_series"
            " where extract(year from bucket_date) = %s",
            year,
        )
        assert series == {1: (whole[0], hours(whole[1]))}
        assert days == {1: (whole[0], 0)}
        subtrees = sums((at, a.minutes) for a in counting for at in self.model.above(a.unit))
        told = {
            unit: (payload["activity_count"], payload["total_hours"])
            for unit, payload in self.db.execute(
                "select unit_id, payload from stats.hierarchy_summaries(%s, %s)", (self.organization, year)
            )
        }
        for unit in TREE:
            n, m = subtrees.get(unit, (0, 0))
            assert told[named(unit)] == (n, hours(m))
        row = self.db.execute(
            "select stats.bufdir_report(%s, make_date(%s, 1, 1), make_date(%s + 1, 1, 1), 0)",
            (self.organization, year, year),
        ).fetchone()
        assert row is not None
        report = row[0]
        assert figures(report["totals"]) == (whole[0], hours(whole[1]))
        regions = sums((self.model.region(a.unit), a.minutes) for a in counting)
        assert {part["region_unit_id"]: figures(part) for part in report["regions"]} == {
            region and str(named(region)): (n, hours(m)) for region, (n, m) in regions.items()
        }

    def as_admin(self, query: LiteralString, *values: object) -> dict[Any, tuple[int, float]]:
        claims = {
            "sub": str(named("admin")),
            "role": "authenticated",
            "app_metadata": {"org_id": str(self.organization)},
        }
        self.db.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        self.db.execute("set local role authenticated")
        found = {key: (int(n), float(h)) for key, n, h in self.db.execute(query, values)}
        self.db.execute("reset role")
        self.db.execute("select set_config('request.jwt.claims', '', true)")
        return found


def sums(rows: Iterator[tuple[Any, int]]) -> dict[Any, tuple[int, int]]:
    counts: Counter[Any] = Counter()
    minutes: Counter[Any] = Counter()
    for key, each in rows:
        counts[key] += 1
        minutes[key] += each
    return {key: (counts[key], minutes[key]) for key in counts}


def hours(minutes: int) -> float:
    """Two decimals, half up."""
    return (minutes * 100 + 30) // 60 / 100


def figures(part: dict[str, Any]) -> tuple[int, float]:
    return part["activity_count"], part["total_hours"]


@pytest.fixture(scope="module")
def db(stack: Stack) -> Iterator[Connection]:
    """The organisation without activities, in a transaction that is undone."""
    organization = named("organization")
    with psycopg.connect(stack.db_url) as db:
        db.execute(
            "insert into public.organizations (id, slug, name) values (%s, 'agree', 'Agree')", (organization,)
        )
        for unit, (parent, kind) in TREE.items():
            db.execute(
                "insert into public.organization_units (id, organization_id, parent_id, kind, name)"
                " values (%s, %s, %s, %s::public.unit_kind, %s)",
                (named(unit), organization, parent and named(parent), kind, unit),
            )
        roles = dict.fromkeys(MENTORS, "peer_mentor") | dict.fromkeys(COORDINATORS, "coordinator")
        for name, role in {**roles, "admin": "org_admin"}.items():
            db.execute(
                "insert into auth.users (id, email) values (%s, %s)", (named(name), f"{name}@agree.example")
            )
            db.execute(
                "insert into public.profiles (id, organization_id, role, display_name)"
                " values (%s, %s, %s::public.profile_role, %s)",
                (named(name), organization, role, name),
            )
        for who, unit in Model().assigned:
            db.execute(
                "insert into public.chapter_assignments (profile_id, unit_id, organization_id)"
                " values (%s, %s, %s)",
                (named(who), named(unit), organization),
            )
        db.execute(
            "insert into public.activity_types (id, organization_id, code, label)"
            " values (%s, %s, 'talk', 'Talk')",
            (named("talk"), organization),
        )
        yield db
        db.rollback()


@given(steps=STEPS)
@settings(
    max_examples=EXPLORE or 40,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_dashboard_series_hierarchy_and_report_say_the_same(db: Connection, steps: list[Step]) -> None:
    with db.transaction(force_rollback=True):
        play = Play(db)
        for step in steps:
            play.play(step)
        play.is_so()
        db.execute("select stats.fold()")
        play.is_so()


DAMAGES: dict[str, LiteralString] = {
    "a total": "update stats.daily_totals set activity_count = activity_count + 1 where organization_id = %s",
    "a chapter": "update stats.peer_mentor_totals set activity_count = activity_count + 1"
    " where organization_id = %s",
    "a year": "update stats.yearly_totals set activity_count = activity_count + 1 where organization_id = %s",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_control_a_figure_that_differs_is_noticed(db: Connection, damage: str) -> None:
    with db.transaction(force_rollback=True):
        play = Play(db)
        play.play(Step("register", 4, 0))
        play.fold(0, 0)
        play.is_so()
        db.execute(DAMAGES[damage], (play.organization,))
        with pytest.raises(AssertionError):
            play.is_so()
