"""Whatever is registered, mapped and asked for: the report's totals are the sums of the live views."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functions.bufdir.support import owner
from tools.reference import reference_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    import psycopg

    from local.stack import Stack

    Connection = psycopg.Connection[tuple[Any, ...]]

EXPLORE = int(
    os.environ.get("FERSK_EXPLORE", "0")
)  # that many new examples instead of the same ones each time
ORGANIZATION = reference_id("property")
CHAPTERS = [
    reference_id(f"property chapter {n}") for n in range(4)
]  # two in one region, one in another, one in none
TYPES = [reference_id(f"property type {n}") for n in range(4)]
CONTACTS = [None, *(reference_id(f"property contact {n}") for n in range(3))]
MENTOR = reference_id("property mentor")
# few enough that periods begin and end among them, on both sides of midnight and of New Year
MOMENTS = [
    dt.datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
]
DAYS = sorted({(moment + dt.timedelta(days=shift)).date() for moment in MOMENTS for shift in (0, 1)})


class Activity(NamedTuple):
    chapter: UUID
    kind: UUID
    moment: dt.datetime
    minutes: int
    participants: int
    contact: UUID | None
    status: str


ACTIVITIES = st.lists(
    st.builds(
        Activity,
        st.sampled_from(CHAPTERS),
        st.sampled_from(TYPES),
        st.sampled_from(MOMENTS),
        st.integers(1, 1440),
        st.integers(0, 10000),
        st.sampled_from(CONTACTS),
        st.sampled_from(["registered", "registered", "registered", "draft", "rejected"]),
    ),
    max_size=25,
)
PERIODS = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(sorted)
MAPPINGS = st.dictionaries(st.sampled_from(TYPES), st.sampled_from(["A", "B"]))

SCENE = """
    insert into public.organizations (id, slug, name) values (%(org)s, 'property', 'Property');
    insert into public.organization_units (id, organization_id, parent_id, kind, name) values
        (%(root)s, %(org)s, null, 'national', 'root'), (%(north)s, %(org)s, %(root)s, 'region', 'north'),
        (%(south)s, %(org)s, %(root)s, 'region', 'south'), (%(c0)s, %(org)s, %(north)s, 'local', 'c0'),
        (%(c1)s, %(org)s, %(north)s, 'local', 'c1'), (%(c2)s, %(org)s, %(south)s, 'local', 'c2'),
        (%(c3)s, %(org)s, %(root)s, 'local', 'c3');
    insert into auth.users (id, email) values (%(mentor)s, 'property@property.example');
    insert into public.profiles (id, organization_id, role, display_name)
    values (%(mentor)s, %(org)s, 'peer_mentor', 'p');
    insert into public.activity_types (id, organization_id, code, label) values
        (%(t0)s, %(org)s, 't0', 't'), (%(t1)s, %(org)s, 't1', 't'),
        (%(t2)s, %(org)s, 't2', 't'), (%(t3)s, %(org)s, 't3', 't');
"""
SERIES = """
    select coalesce(sum(l.activity_count), 0)::int, stats.hours(coalesce(sum(l.total_minutes), 0)::bigint),
           coalesce(sum(l.participant_count), 0)::int
    from stats.live_time_series l left join stats.unit_regions r on r.chapter_id = l.chapter_id
    where l.organization_id = %s and l.bucket_date >= %s and l.bucket_date < %s
"""
BY_REGION = SERIES.replace("select ", "select r.unit_id, ", 1) + " group by r.unit_id"
BY_CATEGORY = """
    select m.bufdir_category_code, sum(y.activity_count)::int, stats.hours(sum(y.total_minutes)::bigint),
           sum(y.participant_count)::int
    from stats.live_yearly_rows y
    left join public.bufdir_category_mappings m
      on m.activity_type_id = y.activity_type_id and m.mapping_version = %s
    where y.organization_id = %s and y.period_year = %s
    group by 1 having sum(y.activity_count) <> 0
"""


@pytest.fixture(scope="module")
def db(stack: Stack) -> Iterator[Connection]:
    """An organisation without activities, in a transaction that is undone."""
    names = {f"c{n}": chapter for n, chapter in enumerate(CHAPTERS)} | {
        f"t{n}": kind for n, kind in enumerate(TYPES)
    }
    units = {name: reference_id(f"property {name}") for name in ("root", "north", "south")}
    with owner(stack) as connection:
        for statement in SCENE.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"org": ORGANIZATION, "mentor": MENTOR} | names | units)
        yield connection


def register(db: Connection, activities: list[Activity]) -> None:
    with db.cursor() as cursor:
        cursor.executemany(
            "insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by,"
            " activity_type_id, occurred_at, duration_minutes, participant_count, contact_id, status)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    ORGANIZATION,
                    a.chapter,
                    MENTOR,
                    MENTOR,
                    a.kind,
                    a.moment,
                    a.minutes,
                    a.participants,
                    a.contact,
                    a.status,
                )
                for a in activities
            ],
        )


def report(db: Connection, start: dt.date, end: dt.date, version: int) -> Any:
    row = db.execute(
        "select stats.bufdir_report(%s, %s, %s, %s)", (ORGANIZATION, start, end, version)
    ).fetchone()
    assert row is not None
    return row[0]


def figures(part: dict[str, Any]) -> tuple[int, float, int]:
    return part["activity_count"], part["total_hours"], part["participant_count"]


@given(before=ACTIVITIES, after=ACTIVITIES, period=PERIODS, mapping=MAPPINGS)
@settings(
    max_examples=EXPLORE or 60,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_totals_regions_and_categories_are_the_sums_of_the_live_views(
    db: Connection,
    *,
    before: list[Activity],
    after: list[Activity],
    period: list[dt.date],
    mapping: dict[UUID, str],
) -> None:
    start, end = period
    with db.transaction(force_rollback=True):
        with db.cursor() as cursor:
            rows = list(mapping.items())
            cursor.executemany("insert into public.bufdir_category_mappings values (1, %s, %s)", rows)
        register(db, before)
        db.execute("select stats.refresh(p_force := true)")
        register(db, after)

        found = report(db, start, end, 1)
        [totals] = db.execute(SERIES, (ORGANIZATION, start, end)).fetchall()
        assert figures(found["totals"]) == tuple(map(type_of, totals))
        regions = {
            str(row[0]): tuple(map(type_of, row[1:]))
            for row in db.execute(BY_REGION, (ORGANIZATION, start, end))
        }
        assert {str(part["region_unit_id"]): figures(part) for part in found["regions"]} == regions

        yearly = report(db, dt.date(2026, 1, 1), dt.date(2027, 1, 1), 1)
        categories = {
            row[0]: tuple(map(type_of, row[1:])) for row in db.execute(BY_CATEGORY, (1, ORGANIZATION, 2026))
        }
        unmapped = categories.pop(None, (0, 0.0, 0))
        assert {part["bufdir_category_code"]: figures(part) for part in yearly["categories"]} == categories
        assert sum(part["activity_count"] for part in yearly["uncategorised"]) == unmapped[0]
        assert sum(part["participant_count"] for part in yearly["uncategorised"]) == unmapped[2]

        counted = [
            a
            for a in (*before, *after)
            if a.status == "registered" and start <= a.moment.astimezone(dt.UTC).date() < end
        ]
        assert found["totals"]["activity_count"] == len(counted)
        assert found["totals"]["distinct_participants"] == len({a.contact for a in counted} - {None})


def type_of(number: Any) -> float | int:
    """As JSON gives it."""
    return number if isinstance(number, int) else float(number)
