"""Dashboard, series, hierarchy and report agree, always, and equal a plain computation in Python."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.resilience.own_cluster import Connection, OwnCluster, own_cluster

EXPLORE = int(os.environ.get("FERSK_EXPLORE", "0"))
HISTORIES = settings(
    max_examples=EXPLORE or 40,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
YEARS = [2024, 2025, 2026]
ZONES = ["UTC", "Europe/Oslo", "Pacific/Auckland", "America/St_Johns"]
# The turn of years and of the day on which most rules begin, here and there, and the nights of the clocks.
MOMENTS = [
    dt.datetime.fromisoformat(text)
    for text in [
        "2024-12-31T10:59:59+00:00",
        "2024-12-31T23:30:00+00:00",
        "2025-01-01T00:00:00+00:00",
        "2025-01-01T00:00:00+01:00",
        "2025-08-31T22:00:00+00:00",
        "2025-09-01T00:00:00+00:00",
        "2025-10-26T00:30:00+00:00",
        "2025-12-31T22:59:59.999999+00:00",
        "2026-01-01T03:29:59+00:00",
        "2026-03-29T01:00:00+00:00",
    ]
]
RULE_DAYS = [dt.date(2025, 1, 1), dt.date(2025, 9, 1), dt.date(2026, 1, 1)]
TYPES = ["talk", "group"]
CODES = ["INDIVIDUAL", "GROUP"]
CHAPTERS = ["A", "B", "C"]
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Activity:
    """What was asked to be written."""

    id: UUID
    chapter: str
    mentor: str
    kind: str
    moment: dt.datetime
    given: dt.date | None
    minutes: int
    people: int
    contact: UUID | None
    status: str


@dataclass(frozen=True)
class Rule:
    """A row of counting_rules."""

    kind: str
    since: dt.date
    counts: bool
    minutes: int | None
    people: int | None


@dataclass
class World:
    """What is so, in plain Python: nothing here asks the database."""

    activities: dict[UUID, Activity] = field(default_factory=dict)
    rules: dict[tuple[str, dt.date], Rule] = field(default_factory=dict)
    zone: str = "UTC"
    mappings: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)  # from which year, what

    def day(self, a: Activity) -> dt.date:
        return a.given or a.moment.astimezone(ZoneInfo(self.zone)).date()

    def counts(self, a: Activity) -> bool:
        if a.status != "registered":
            return False
        since = [r for (kind, day), r in self.rules.items() if kind == a.kind and day <= self.day(a)]
        if not since:
            return True
        rule = max(since, key=lambda r: r.since)
        return rule.counts and a.minutes >= (rule.minutes or 0) and a.people >= (rule.people or 0)

    def is_possible(self) -> bool:
        days: Counter[tuple[str, dt.date]] = Counter()
        for a in self.activities.values():
            if a.status == "registered":
                days[a.mentor, self.day(a)] += a.minutes
        return max(days.values(), default=0) <= DAY_MINUTES

    def counted(self, year: int | None = None) -> list[Activity]:
        return [a for a in self.activities.values() if self.counts(a) and year in {None, self.day(a).year}]

    def category(self, kind: str, year: int) -> str:
        versions = [version for version, (since, _) in self.mappings.items() if since <= year]
        return self.mappings[max(versions)][1].get(kind, "") if versions else ""


def hours(activities: Sequence[Activity]) -> Decimal:
    minutes = Decimal(sum(a.minutes for a in activities))
    return (minutes / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)


def figures(activities: Sequence[Activity]) -> dict[str, object]:
    return {
        "activity_count": len(activities),
        "total_hours": hours(activities),
        "participant_count": sum(a.people for a in activities),
        "distinct_participants": len({a.contact for a in activities if a.contact}),
    }


@dataclass
class Play:
    """One history: the same steps in the world and in the database, whose org admin then looks."""

    db: Connection
    ids: dict[str, UUID]
    world: World = field(default_factory=World)

    def attempt(self, after: World, statement: str, parameters: Sequence[object]) -> None:
        """Do it; it is refused exactly if somebody would have more than 24 hours on a day."""
        refused = None
        try:
            with self.db.transaction():
                self.db.execute(statement.encode(), parameters)
        except psycopg.errors.CheckViolation as violation:
            refused = violation.diag.constraint_name
        assert refused == (None if after.is_possible() else "activities_day_has_24_hours")
        if refused is None:
            self.world = after

    def with_activities(self, activities: dict[UUID, Activity]) -> World:
        return replace(self.world, activities=activities)

    def insert(self, rows: Sequence[Activity]) -> None:
        after = self.with_activities(self.world.activities | {row.id: row for row in rows})
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s::date, %s, %s, %s::uuid, %s)"] * len(rows))
        self.attempt(
            after,
            "insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,"
            " activity_type_id, occurred_at, activity_date, duration_minutes, participant_count, contact_id,"
            " status) select id, o, u, m, m, t, at, d, n, p, c, s::public.activity_status"
            f" from (values {values}) v (id, o, u, m, x, t, at, d, n, p, c, s)",
            [value for row in rows for value in self._values(row)],
        )

    def _values(self, a: Activity) -> list[object]:
        return [
            a.id, self.ids["organization"], self.ids[a.chapter], self.ids[a.mentor], self.ids[a.mentor],
            self.ids[a.kind], a.moment, a.given, a.minutes, a.people, a.contact, a.status,
        ]  # fmt: skip

    def edit(self, place: int, like: Activity, column: str) -> None:
        if not self.world.activities:
            return
        old = list(self.world.activities.values())[place % len(self.world.activities)]
        names = {
            "unit_id": ("chapter", self.ids[like.chapter]),
            "activity_type_id": ("kind", self.ids[like.kind]),
            "occurred_at": ("moment", like.moment),
            "activity_date": ("given", like.given),
            "duration_minutes": ("minutes", like.minutes),
            "participant_count": ("people", like.people),
            "status": ("status", like.status),
            "contact_id": ("contact", like.contact),
        }
        name, value = names[column]
        new = replace(old, **{name: getattr(like, name)})
        if column == "occurred_at" and like.moment != old.moment:
            new = replace(new, given=None)
        if column == "activity_date" and like.given is not None:
            new = replace(new, given=new.moment.date())  # one that fits the moment
            value = new.given
        self.attempt(
            self.with_activities(self.world.activities | {old.id: new}),
            f"update public.activities set {column} = %s where id = %s",
            [value, old.id],
        )

    def delete(self, place: int) -> None:
        if self.world.activities:
            gone = list(self.world.activities)[place % len(self.world.activities)]
            left = {key: a for key, a in self.world.activities.items() if key != gone}
            self.attempt(self.with_activities(left), "delete from public.activities where id = %s", [gone])

    def rule(self, rule: Rule) -> None:
        after = replace(self.world, rules=self.world.rules | {(rule.kind, rule.since): rule})
        self.attempt(
            after,
            "insert into public.counting_rules values (%s, %s, %s, %s, %s, %s, 'a test')"
            " on conflict (organization_id, activity_type_id, valid_from) do update set"
            " counts = excluded.counts, min_duration_minutes = excluded.min_duration_minutes,"
            " min_participants = excluded.min_participants",
            [self.ids["organization"], self.ids[rule.kind], rule.since, rule.counts, rule.minutes,
             rule.people],
        )  # fmt: skip

    def drop_rules(self, kind: str) -> None:
        left = {key: rule for key, rule in self.world.rules.items() if rule.kind != kind}
        self.attempt(
            replace(self.world, rules=left),
            "delete from public.counting_rules where activity_type_id = %s",
            [self.ids[kind]],
        )

    def zone(self, name: str) -> None:
        self.attempt(
            replace(self.world, zone=name),
            "update public.organization_settings set time_zone = %s where organization_id = %s",
            [name, self.ids["organization"]],
        )

    def mapping(self, year: int, codes: dict[str, str]) -> None:
        version = len(self.world.mappings) + 1
        for kind, code in codes.items():
            self.db.execute(
                "insert into public.bufdir_category_mappings values (%s, %s, %s)",
                [version, self.ids[kind], code],
            )
        self.db.execute(
            "insert into public.bufdir_mapping_versions (organization_id, mapping_version, valid_from_year)"
            " values (%s, %s, %s)",
            [self.ids["organization"], version, year],
        )
        self.world.mappings[version] = (year, codes)

    def move(self, chapter: str, region: str) -> None:
        self.db.execute(
            "update public.organization_units set parent_id = %s where id = %s",
            [self.ids[region], self.ids[chapter]],
        )

    def close(self, chapter: str) -> None:
        self.db.execute(
            "update public.organization_units set closed_on = '2025-06-01' where id = %s",
            [self.ids[chapter]],
        )
        self.db.execute("delete from public.chapter_assignments where unit_id = %s", [self.ids[chapter]])

    def fold(self) -> None:
        self.db.execute("select stats.fold()")

    # --- what the org admin sees -------------------------------------------------------------------------

    def look(self) -> None:
        claims = {
            "sub": str(self.ids["admin"]),
            "role": "authenticated",
            "app_metadata": {"org_id": str(self.ids["organization"])},
        }
        self.db.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        self.db.execute("set local role authenticated")
        try:
            self._look()
        finally:
            self.db.execute("reset role")
            self.db.execute("select set_config('request.jwt.claims', '', true)")
        assert self.db.execute("select relation_name from stats.audit()").fetchall() == []

    def _look(self) -> None:
        self._look_at_chapters()
        for year in YEARS:
            counted = self.world.counted(year)
            self._look_at_days(year, counted)
            self._look_at_report(year, counted)
            self._look_at_hierarchy(year, counted)

    def _value(self, query: str, *parameters: object) -> Any:
        row = self.db.execute(f"select ({query})::text".encode(), parameters).fetchone()
        assert row is not None
        return json.loads(row[0], parse_float=Decimal)

    def _look_at_chapters(self) -> None:
        said = {
            chapter: (count, total)
            for chapter, count, total in self.db.execute(
                "select chapter_id, activity_count, total_hours from public.chapter_stats"
            )
        }
        true = defaultdict(list)
        for a in self.world.counted():
            true[self.ids[a.chapter]].append(a)
        assert said == {chapter: (len(done), hours(done)) for chapter, done in true.items()}

    def _look_at_days(self, year: int, counted: Sequence[Activity]) -> None:
        days = self._value("public.get_activity_series(p_year => %s, p_bucket => 'day')", year)
        assert len(days) == (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days
        by_day = defaultdict(list)
        for a in counted:
            by_day[str(self.world.day(a))].append(a)
        busy = [d for d in days if d["activity_count"]]
        said = {d["bucket_date"]: (d["activity_count"], d["total_hours"]) for d in busy}
        assert said == {day: (len(done), hours(done)) for day, done in by_day.items()}
        months = self._value("public.get_activity_series(p_year => %s)", year)
        assert sum(month["activity_count"] for month in months) == len(counted)
        whole = self._value("public.get_activity_series(p_year => %s, p_bucket => 'year')", year)
        assert [(w["activity_count"], w["total_hours"]) for w in whole] == [(len(counted), hours(counted))]
        row = self.db.execute(
            "select count(*), sum(activity_count) from public.activity_time_series"
            " where bucket_date >= %s and bucket_date < %s",
            [dt.date(year, 1, 1), dt.date(year + 1, 1, 1)],
        ).fetchone()
        assert row is not None
        assert (row[1] or 0) == len(counted)

    def _look_at_report(self, year: int, counted: Sequence[Activity]) -> None:
        report = self._value(
            "public.generate_bufdir_report(%s, p_year => %s)", self.ids["organization"], year
        )
        assert report["totals"] == figures(counted)
        groups = defaultdict(list)
        for a in counted:
            groups[self.world.category(a.kind, year)].append(a)
        said = {
            c["bufdir_category_code"]: {k: v for k, v in c.items() if k != "bufdir_category_code"}
            for c in report["categories"]
        }
        assert said == {code: figures(done) for code, done in groups.items() if code}
        assert sum(u["activity_count"] for u in report["uncategorised"]) == len(groups[""])

    def _look_at_hierarchy(self, year: int, counted: Sequence[Activity]) -> None:
        summary = self._value("public.get_hierarchy_stats(%s, %s)", self.ids["root"], year)
        plain = figures(counted)
        assert summary["activity_count"] == plain["activity_count"]
        assert summary["total_hours"] == plain["total_hours"]
        assert summary["participant_count"] == plain["participant_count"]
        assert summary["distinct_contacts"] == plain["distinct_participants"]
        assert summary["chapters_reporting"] == len({a.chapter for a in counted})
        assert summary["active_peer_mentors"] == len({a.mentor for a in counted})
        codes = Counter(self.world.category(a.kind, year) or "uncategorised" for a in counted)
        assert summary["categories"] == codes


CONTACTS = [None, UUID(int=1), UUID(int=2)]
activities = st.builds(
    Activity,
    id=st.builds(uuid4),
    chapter=st.sampled_from(CHAPTERS),
    mentor=st.sampled_from(["ola", "liv"]),
    kind=st.sampled_from(TYPES),
    moment=st.sampled_from(MOMENTS),
    given=st.just(None),
    minutes=st.sampled_from([1, 20, 44, 45, 90, 700, 1440]),
    people=st.integers(0, 4),
    contact=st.sampled_from(CONTACTS),
    status=st.sampled_from(["registered", "registered", "registered", "draft", "rejected"]),
)
# The app may give a day that is one off that of UTC.
dated = st.builds(
    lambda a, off: replace(a, given=a.moment.astimezone(dt.UTC).date() + dt.timedelta(days=off)),
    activities,
    st.integers(-1, 1),
)
rules = st.builds(
    Rule,
    kind=st.sampled_from(TYPES),
    since=st.sampled_from(RULE_DAYS),
    counts=st.sampled_from([True, True, False]),
    minutes=st.sampled_from([None, 45]),
    people=st.sampled_from([None, 3]),
)
COLUMNS = [
    "unit_id", "activity_type_id", "occurred_at", "activity_date", "duration_minutes", "participant_count",
    "status", "contact_id",
]  # fmt: skip
Step = Callable[[Play], None]
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda rows: lambda p: p.insert(rows), st.lists(activities | dated, min_size=1, max_size=3)),
    st.builds(lambda rows: lambda p: p.insert(rows), st.lists(activities | dated, min_size=1, max_size=3)),
    st.builds(
        lambda place, like, column: lambda p: p.edit(place, like, column),
        st.integers(0, 9), activities | dated, st.sampled_from(COLUMNS),
    ),
    st.builds(lambda place: lambda p: p.delete(place), st.integers(0, 9)),
    st.builds(lambda rule: lambda p: p.rule(rule), rules),
    st.builds(lambda kind: lambda p: p.drop_rules(kind), st.sampled_from(TYPES)),
    st.builds(lambda name: lambda p: p.zone(name), st.sampled_from(ZONES)),
    st.builds(
        lambda year, codes: lambda p: p.mapping(year, codes),
        st.sampled_from(YEARS),
        st.dictionaries(st.sampled_from(TYPES), st.sampled_from(CODES), min_size=1),
    ),
    st.builds(
        lambda chapter, region: lambda p: p.move(chapter, region),
        st.sampled_from(CHAPTERS), st.sampled_from(["north", "south"]),
    ),
    st.builds(lambda chapter: lambda p: p.close(chapter), st.sampled_from(CHAPTERS)),
    st.builds(lambda: lambda p: p.fold()),
)  # fmt: skip


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("right") as cluster:
        yield cluster


def found_organization(db: Connection) -> dict[str, UUID]:
    """Found an organisation with a tree, people and types; in the caller's transaction."""
    names = ["organization", "root", "north", "south", *CHAPTERS, "ola", "liv", "admin", *TYPES]
    ids = {name: uuid4() for name in names}
    db.execute("insert into public.organizations values (%s, 'right', 'Right')", [ids["organization"]])
    units = [("root", None, "national"), ("north", "root", "region"), ("south", "root", "region")]
    units += [(chapter, "north", "local") for chapter in CHAPTERS]
    for name, parent, kind in units:
        db.execute(
            "insert into public.organization_units (id, organization_id, parent_id, kind, name)"
            " values (%s, %s, %s, %s, %s)",
            [ids[name], ids["organization"], parent and ids[parent], kind, name],
        )
    for name, role in (("ola", "peer_mentor"), ("liv", "peer_mentor"), ("admin", "org_admin")):
        db.execute("insert into auth.users (id, email) values (%s, %s)", [ids[name], f"{name}@right.test"])
        db.execute(
            "insert into public.profiles (id, organization_id, role, display_name) values (%s, %s, %s, %s)",
            [ids[name], ids["organization"], role, name],
        )
    for kind in TYPES:
        db.execute(
            "insert into public.activity_types (id, organization_id, code, label) values (%s, %s, %s, %s)",
            [ids[kind], ids["organization"], kind, kind],
        )
    return ids


@given(history=st.lists(steps, min_size=1, max_size=10))
@HISTORIES
def test_all_views_agree_and_equal_a_plain_computation(own: OwnCluster, history: list[Step]) -> None:
    with own.connect() as db, db.transaction(force_rollback=True):
        db.execute("update private.work_limits set person_burst = 100000, organization_burst = 100000")
        play = Play(db, found_organization(db))
        for step in history:
            step(play)
            play.look()


def test_control_a_world_that_is_otherwise_is_noticed(own: OwnCluster) -> None:
    with own.connect() as db, db.transaction(force_rollback=True):
        play = Play(db, found_organization(db))
        done = Activity(uuid4(), "A", "ola", "talk", MOMENTS[1], None, 60, 3, None, "registered")
        play.insert([done])
        play.look()
        play.world.zone = "Europe/Oslo"  # of which nobody told the database
        with pytest.raises(AssertionError):
            play.look()
