"""The night's command, as pg_cron runs it: in batches that commit, until nothing is left to erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.database.data_protection.figures import figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack
    from tests.resilience.own_cluster import Connection

BATCH = 1000
COPIES = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, activity_type_id, occurred_at,
                                   duration_minutes, registered_by, contact_id, summary)
    select a.organization_id, a.unit_id, a.peer_mentor_id, a.activity_type_id,
           now() - interval '2 years' - n * interval '1 hour', 20, a.peer_mentor_id,
           md5(format('contact %s', n / 2))::uuid, format('text %s', n)
    from generate_series(1, 2500) n, lateral (
        select b.* from public.activities b join public.organizations o on o.id = b.organization_id
        where o.slug = 'barnekreftforeningen' limit 1) a
"""
LEFT = """
    select count(summary), count(*) filter (where contact_id in (
               select md5(format('contact %s', n))::uuid from generate_series(0, 1250) n)),
           count(distinct contact_id)
    from public.activities where occurred_at < now() - interval '1 year 11 months'
"""
OTHERS = """
    select count(a.summary), count(distinct a.contact_id) from public.activities a
    join public.organizations o on o.id = a.organization_id where o.slug <> 'barnekreftforeningen'
"""
SETTING = """
    update public.organization_settings s set text_retention = %s, contact_retention = %s
    from public.organizations o where o.id = s.organization_id and o.slug = 'barnekreftforeningen'
"""


@pytest.fixture
def old(db: Connection) -> Iterator[None]:
    """Give an organisation two and a half thousand texts, half as many contacts, two years old."""
    db.execute(COPIES)
    yield
    db.execute(SETTING, [None, None])


@pytest.mark.usefixtures("old")
def test_the_schedule_erases_what_is_too_old_and_no_figure_moves(own: Stack, db: Connection) -> None:
    schedule = db.execute(
        "select schedule, command, active from cron.job where jobname = 'fersk-nightly-retention'"
    ).fetchone()
    assert schedule
    when, command, active = schedule
    assert (when.split()[0].isdigit(), active) == (True, True)
    db.execute(SETTING, ["1 year", "1 year"])
    before, others = figures(db), db.execute(OTHERS).fetchone()
    assert db.execute(LEFT).fetchone() == (2500, 2500, 1251)
    with psycopg.connect(own.db_url, autocommit=True) as night:
        night.execute(command)
    assert db.execute(LEFT).fetchone() == (0, 0, 1251)
    assert db.execute(OTHERS).fetchone() == others
    after = figures(db)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    record = db.execute(
        "select kind, sum(erased_count) >= %s, max(erased_count) from public.erasures"
        " where kind in ('texts', 'contacts') and erased_by is null group by 1 order by 1",
        [1251],
    ).fetchall()
    assert record == [("contacts", True, BATCH), ("texts", True, BATCH)]


@pytest.mark.usefixtures("old")
def test_each_batch_is_kept_when_a_later_one_fails(own: Stack, db: Connection) -> None:
    """A night that is cut short goes on where it was."""
    db.execute(SETTING, ["1 year", None])
    command = db.execute("select command from cron.job where jobname = 'fersk-nightly-retention'").fetchone()
    assert command
    with (
        psycopg.connect(own.db_url) as writer,
        psycopg.connect(own.db_url, autocommit=True) as night,
    ):
        last = "select id from public.activities where summary is not null and occurred_at < now() - interval"
        writer.execute(
            f"update public.activities set duration_minutes = 61 where id in ({last} '2 years'"
            " order by occurred_at limit 1)"
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):
            night.execute(command[0])
        writer.rollback()
        night.execute(command[0])
    left = db.execute(LEFT).fetchone()
    assert left
    assert left[0] == 0
