"""What makes a saved snapshot stale: each decision at its boundary, asked of the database for any moment."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.functions.bufdir.support import DAYS, YEAR, organization, owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    import psycopg

    from local.stack import Stack

COMPUTED_AT = dt.datetime(YEAR, 3, 14, 9, 26, 53, 589793, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=24)
TICK = dt.timedelta(microseconds=1)

FIRST = f"""
    id = (select a.id from public.activities a
          where a.organization_id = %(nhf)s and a.is_counted and a.contact_id is not null
            and a.occurred_at >= '{DAYS.start}Z' and a.occurred_at < '{DAYS.end}Z' order by a.id limit 1)
"""
# its id puts the copy last
COPY = """
    insert into public.activities (
        id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, occurred_at,
        duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by, status)
    select 'ffffffff-ffff-ffff-ffff-ffffffffffff', organization_id, unit_id, peer_mentor_id, coordinator_id,
           activity_type_id, {at}, duration_minutes, participant_count, contact_id, is_proxy_registered,
           registered_by, '{status}'
    from public.activities where
"""
MAPPING_ROWS = """
    insert into public.bufdir_category_mappings (mapping_version, activity_type_id, bufdir_category_code)
    select 2, m.activity_type_id, m.bufdir_category_code from public.bufdir_category_mappings m
    join public.activity_types t on t.id = m.activity_type_id where t.organization_id {} %(nhf)s
"""
OF_NHF = "activity_type_id in (select t.id from public.activity_types t where t.organization_id = %(nhf)s)"


def add(at: str = "occurred_at", status: str = "registered") -> str:
    return COPY.format(at=at, status=status) + FIRST


def edit(assignment: str) -> str:
    return f"update public.activities set {assignment} where {FIRST}"


DELETE = f"""
    with claims as (
        delete from public.expense_claims
        where activity_id = (select id from public.activities where {FIRST}))
    delete from public.activities where {FIRST}
"""
OTHER_KIND = """
    activity_type_id = (select id from public.activity_types
                        where organization_id = %(nhf)s and id <> activity_type_id order by id limit 1)
"""
OTHER_CHAPTER = """
    unit_id = (select id from public.organization_units
               where organization_id = %(nhf)s and kind = 'local' and id <> unit_id order by id limit 1)
"""
# whoever it was: met once, they are gone; met more often, these are no longer of one
OTHER_CONTACT = f"""
    contact_id = (select b.contact_id from public.activities b
                  where b.organization_id = %(nhf)s and b.is_counted and b.contact_id <> activities.contact_id
                    and b.occurred_at >= '{DAYS.start}Z' and b.occurred_at < '{DAYS.end}Z'
                  order by b.id limit 1)
"""
RENAME_CONTACTS = """
    update public.activities set contact_id = md5(contact_id || '!')::uuid
    where organization_id = %(nhf)s and contact_id is not null
"""
PUBLICATION = """
    insert into public.bufdir_mapping_versions (organization_id, mapping_version, valid_from_year)
    select o.id, 2, {} from public.organizations o where o.id {} %(nhf)s
"""
UNPUBLISHED_MAPPING = MAPPING_ROWS.format("=")
NEW_MAPPING = [UNPUBLISHED_MAPPING, PUBLICATION.format(YEAR, "=")]
LATER_MAPPING = [UNPUBLISHED_MAPPING, PUBLICATION.format(YEAR + 1, "=")]
OTHERS_MAPPING = [MAPPING_ROWS.format("<>"), PUBLICATION.format(YEAR, "<>")]
EDIT_MAPPING = f"update public.bufdir_category_mappings set bufdir_category_code = 'X' where {OF_NHF}"
DELETE_MAPPING = f"delete from public.bufdir_category_mappings where {OF_NHF}"
WITHDRAWN = "delete from public.bufdir_mapping_versions where organization_id = %(nhf)s"
RENAME_REGIONS = """
    update public.organization_units set name = name || '!'
    where kind = 'region' and organization_id = %(nhf)s
"""
RECODE_CAFE = (
    "update public.activity_types set code = 'x' where code = 'social_cafe' and organization_id = %(nhf)s"
)
LONGER, SHORTER = (
    edit("duration_minutes = duration_minutes + 1"),
    edit("duration_minutes = duration_minutes - 1"),
)
# in Oslo, where NHF is
FIRST_MOMENT, LAST_MOMENT = f"'{YEAR}-01-01 00:00+01'", f"'{YEAR}-12-31 23:59:59.999999+01'"
JUST_BEFORE, AT_THE_END = f"'{YEAR - 1}-12-31 23:59:59.999999+01'", f"'{YEAR + 1}-01-01 00:00+01'"

COUNT, EDITED, OLD, MAPPING = (
    "record_count_changed",
    "records_edited",
    "older_than_max_age",
    "mapping_changed",
)
# what was done since → how old the snapshot is → what is wrong with it
TABLE: dict[str, tuple[list[str], dt.timedelta, list[str]]] = {
    "nothing, at once": ([], dt.timedelta(), []),
    "nothing, exactly 24 hours": ([], DAY, []),
    "nothing, 24 hours and a microsecond": ([], DAY + TICK, [OLD]),
    "one edited: duration": ([LONGER], TICK, [EDITED]),
    "one edited: participants": ([edit("participant_count = participant_count + 1")], TICK, [EDITED]),
    "one edited: contact": ([edit(OTHER_CONTACT)], TICK, [EDITED]),
    "one edited: day": ([edit(f"occurred_at = {LAST_MOMENT}")], TICK, [EDITED]),
    "one edited: kind": ([edit(OTHER_KIND)], TICK, [EDITED]),
    "one edited: chapter": ([edit(OTHER_CHAPTER)], TICK, [EDITED]),
    "one edited and edited back": ([LONGER, SHORTER], TICK, []),
    "a summary written": ([edit("summary = 'x'")], TICK, []),
    "one added": ([add()], TICK, [COUNT]),
    "one deleted": ([DELETE], TICK, [COUNT]),
    "one rejected": ([edit("status = 'rejected'")], TICK, [COUNT]),
    "one added and one deleted": ([add(), DELETE], TICK, [EDITED]),
    "every contact given another id": ([RENAME_CONTACTS], TICK, []),
    "a draft added": ([add(status="draft")], TICK, []),
    "one added at the first moment": ([add(FIRST_MOMENT)], TICK, [COUNT]),
    "one added just before": ([add(JUST_BEFORE)], TICK, []),
    "one added at the last moment": ([add(LAST_MOMENT)], TICK, [COUNT]),
    "one added at the end": ([add(AT_THE_END)], TICK, []),
    "one moved out of the period": ([edit(f"occurred_at = {AT_THE_END}")], TICK, [COUNT]),
    "a newer mapping that says the same": (NEW_MAPPING, TICK, [MAPPING]),
    "a newer mapping for later years": (LATER_MAPPING, TICK, []),
    "a newer mapping that is not published": ([UNPUBLISHED_MAPPING], TICK, []),
    "the year published by no mapping": ([WITHDRAWN], TICK, [MAPPING]),
    "the mapping edited in place": ([EDIT_MAPPING], TICK, [MAPPING]),
    "the mapping removed": ([DELETE_MAPPING], TICK, [MAPPING]),
    "another organisation's mapping": (OTHERS_MAPPING, TICK, []),
    "a region renamed": ([RENAME_REGIONS], TICK, [EDITED]),
    "an unmapped kind given another code": ([RECODE_CAFE], TICK, [EDITED]),
    "added, old, mapped anew": ([add(), *NEW_MAPPING], DAY + TICK, [COUNT, OLD, MAPPING]),
    "edited, old, mapped anew": ([LONGER, *NEW_MAPPING], DAY + TICK, [EDITED, OLD, MAPPING]),
}


class Scene:
    """NHF's snapshot of the year, computed at a given moment, in a transaction that is undone."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], nhf: UUID) -> None:
        self._connection = connection
        self._nhf = nhf
        self._names = {"nhf": nhf, "start": DAYS.start, "end": DAYS.end, "computed_at": COMPUTED_AT}
        self.do(
            """
            insert into public.bufdir_metric_snapshots (
                organization_id, period_start, period_end, computed_at, record_count_at_generation,
                source_fingerprint, mapping_version, snapshot_json)
            select %(nhf)s, %(start)s, %(end)s, %(computed_at)s, s.record_count,
                   s.fingerprint, v.version,
                   stats.bufdir_report(%(nhf)s, %(start)s, %(end)s, v.version)
            from (select stats.mapping_version(%(nhf)s, %(start)s, %(end)s)) v (version)
            cross join lateral stats.report_source(%(nhf)s, %(start)s, %(end)s, v.version) s
            """
        )

    def do(self, statement: str) -> int:
        """Give the number of rows that were touched."""
        return self._connection.execute(statement, self._names).rowcount

    def status(self, now: dt.datetime, start: dt.date = DAYS.start) -> dict[str, Any]:
        row = self._connection.execute(
            "select stats.snapshot_status(%s, %s, %s, %s)", (self._nhf, start, DAYS.end, now)
        ).fetchone()
        assert row is not None
        found: dict[str, Any] = row[0]
        return found


@pytest.fixture
def scene(stack: Stack) -> Iterator[Scene]:
    with owner(stack) as connection:
        connection.execute("delete from public.bufdir_metric_snapshots")
        yield Scene(connection, organization(stack, "nhf"))


@pytest.mark.parametrize(("changes", "age", "reasons"), TABLE.values(), ids=TABLE)
def test_each_decision_at_its_boundary(
    scene: Scene, changes: list[str], age: dt.timedelta, reasons: list[str]
) -> None:
    before = scene.status(COMPUTED_AT)
    assert (before["verdict"], before["reasons"], before["export_allowed"]) == ("fresh", [], True)
    for change in changes:
        assert scene.do(change) > 0
    after = scene.status(COMPUTED_AT + age)
    assert after["reasons"] == reasons
    assert after["verdict"] == ("stale" if reasons else "fresh")
    assert after["export_allowed"] is not bool(reasons)
    assert (after["record_count_at_generation"] != after["record_count_now"]) == (COUNT in reasons)
    assert dt.datetime.fromisoformat(after["computed_at"]) == COMPUTED_AT


@pytest.mark.parametrize("max_age", ["1 hour", "24 hours", "7 days"])
def test_each_organisation_has_its_own_max_age(scene: Scene, max_age: str) -> None:
    hours = {"1 hour": 1, "24 hours": 24, "7 days": 168}[max_age]
    scene.do(
        f"update public.organization_settings set snapshot_max_age = '{max_age}'"
        " where organization_id = %(nhf)s"
    )
    limit = COMPUTED_AT + dt.timedelta(hours=hours)
    assert scene.status(limit)["reasons"] == []
    assert scene.status(limit + TICK)["reasons"] == [OLD]


def test_another_organisations_max_age_does_not_matter(scene: Scene) -> None:
    scene.do(
        "update public.organization_settings set snapshot_max_age = '1 hour' where organization_id <> %(nhf)s"
    )
    assert scene.status(COMPUTED_AT + DAY)["reasons"] == []


def test_a_period_without_a_snapshot_is_missing_whatever_is_in_it(scene: Scene) -> None:
    found = scene.status(COMPUTED_AT, start=dt.date(YEAR, 2, 1))
    assert (found["verdict"], found["reasons"], found["export_allowed"]) == ("missing", [], False)
    assert found["record_count_at_generation"] is None
    assert 0 < found["record_count_now"] < scene.status(COMPUTED_AT)["record_count_now"]
