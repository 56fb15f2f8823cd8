"""While a fold and a refresh run nobody waits: not who reads, not who writes, not a second one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest

from tests.resilience import operations
from tests.resilience.comparison import MATERIALIZED_VIEWS, differences, public_differences
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, load_scene
from tests.resilience.waiting import blocked
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

# PostgreSQL keeps every lock until the transaction ends: after the refresh it holds all that it ever took.
DRAFTS = [Draft(number % 4, 0, 0, 0, "2026-05-17 12:00Z", 60, 2, "registered") for number in range(20)]
FIRST_ID, LAST_ID = UUID(int=1), UUID(int=1000)


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("locks") as cluster:
        yield cluster


@pytest.fixture
def refresher(own: OwnCluster) -> Iterator[Connection]:
    """Hold a fold and a refresh, with something to fold, open in a transaction."""
    with own.connect() as connection:
        scene = load_scene(connection)
        operations.insert(connection, [scene.activity(FIRST_ID, DRAFTS[0])])
        # nothing was asked for of late: writers go all the way to asking for a refresh
        connection.execute("update stats.stats_refresh_log set last_started_at = null")
        connection.execute(FORGET_WHAT_WAS_ASKED)
        connection.execute("begin")
        answer = connection.execute("select stats.refresh(p_force := true)").fetchone()
        assert answer is not None
        assert answer[0]["outcome"] == "refreshed"
        assert answer[0]["applied_changes"] > 0
        yield connection
        connection.execute("rollback")
        operations.delete(connection, _test_ids(connection))


@pytest.fixture
def others(own: OwnCluster) -> Iterator[tuple[Connection, Connection]]:
    """A session at work that may wait for no lock, and an observer."""
    with ExitStack() as stack:
        session, observer = (stack.enter_context(own.connect()) for _ in range(2))
        session.execute("set lock_timeout = '20ms'")
        yield session, observer


def _test_ids(connection: Connection) -> list[UUID]:
    query = "select id from public.activities where id between %s and %s"
    return [row[0] for row in connection.execute(query, [FIRST_ID, LAST_ID])]


def _locks(observer: Connection, holder: Connection) -> dict[str, set[str]]:
    """Relation → lock modes that the holder has, temporary relations left out."""
    rows = observer.execute(
        """select c.relname, l.mode from pg_locks l join pg_class c on c.oid = l.relation
           where l.pid = %s and l.granted
             and c.relpersistence <> 't' and c.relnamespace <> 'pg_catalog'::regnamespace""",
        [holder.info.backend_pid],
    ).fetchall()
    return {name: {mode for other, mode in rows if other == name} for name, _ in rows}


def test_a_refresh_holds_no_lock_that_readers_or_writers_ask_for(
    refresher: Connection, others: tuple[Connection, Connection]
) -> None:
    _, observer = others
    locks = _locks(observer, refresher)
    assert "activities" not in locks
    for view in MATERIALIZED_VIEWS:
        # EXCLUSIVE admits ACCESS SHARE, which is all that a reader asks for
        assert locks[view] <= {"AccessShareLock", "RowExclusiveLock", "ExclusiveLock"}, view
        assert "ExclusiveLock" in locks[view], view
    for table in (
        "activity_changes",
        "daily_totals",
        "monthly_totals",
        "peer_mentor_totals",
        "yearly_totals",
    ):
        assert locks[table] <= {"AccessShareLock", "RowExclusiveLock"}, table
    assert "AccessExclusiveLock" not in set().union(*locks.values())


@pytest.mark.usefixtures("refresher")
def test_readers_do_not_wait_for_a_refresh(others: tuple[Connection, Connection]) -> None:
    session, observer = others
    scene = load_scene(session)
    assert differences(session) == []  # reads every live view
    with session.transaction():
        assert public_differences(session, scene.organization, scene.admin) == []
        for view in MATERIALIZED_VIEWS:
            session.execute(f"select count(*) from stats.{view}")
        # still in its transaction, so still with all its locks
        assert _locks(observer, session).keys() >= set(MATERIALIZED_VIEWS)
        assert _nobody_waits(observer)


@pytest.mark.usefixtures("refresher")
def test_writers_do_not_wait_for_a_refresh(others: tuple[Connection, Connection]) -> None:
    session, observer = others
    scene = load_scene(session)
    rows = [scene.activity(UUID(int=number), draft) for number, draft in enumerate(DRAFTS, start=2)]
    session.execute("begin")
    operations.insert(session, rows)
    operations.edit(session, [row.id for row in rows], "status", rows[0])
    operations.claim_expense(session, [rows[0].id], 100)
    operations.decide_expenses(session, [rows[0].id], "approved")
    operations.delete(session, [rows[1].id])
    operations.delete(session, [FIRST_ID])  # whose change has just been folded
    assert _nobody_waits(observer)
    session.execute("commit")  # asks for a refresh and a fold
    assert differences(session) == []
    assert differences(observer) == []


def test_a_second_refresh_answers_at_once(
    refresher: Connection, others: tuple[Connection, Connection]
) -> None:
    session, _ = others
    for query in ("select stats.refresh(p_force := true)", "select public.refresh_stats_views()"):
        answer = session.execute(query).fetchone()
        assert answer is not None
        assert answer[0]["outcome"] == "already_running"
        assert answer[0]["applied_changes"] == 0
    refresher.execute("commit")
    answer = session.execute("select stats.refresh(p_force := true)").fetchone()
    assert answer is not None
    assert answer[0]["outcome"] == "refreshed"


@pytest.mark.usefixtures("refresher")
def test_the_sweep_and_a_second_fold_wait_for_nothing(others: tuple[Connection, Connection]) -> None:
    session, _ = others
    assert session.execute("select stats.fold() ->> 'outcome'").fetchone() == ("already_running",)
    session.execute("delete from stats.errors")
    session.execute("select stats.sweep()")
    assert session.execute("select message from stats.errors").fetchall() == []


@pytest.mark.parametrize("view", MATERIALIZED_VIEWS)
def test_control_a_plain_refresh_keeps_readers_of_its_view_waiting(
    own: OwnCluster, others: tuple[Connection, Connection], view: str
) -> None:
    """The same checks find a wait where there is one; who reads what is live does not notice."""
    session, observer = others
    with own.connect() as refresher:
        refresher.execute("begin")
        refresher.execute(f"refresh materialized view stats.{view}")
        assert differences(session) == []
        with pytest.raises(psycopg.errors.LockNotAvailable):
            session.execute(f"select count(*) from stats.{view}")
        session.execute("set lock_timeout = 0")
        reading = blocked(
            f"select count(*) from stats.{view}", session=session, by=refresher, observer=observer
        )
        with reading as reader:
            assert not _nobody_waits(observer)
            refresher.execute("rollback")
        reader.result()


def _nobody_waits(observer: Connection) -> bool:
    waiting = observer.execute("select count(*) from pg_locks where not granted").fetchone()
    return waiting == (0,)
