"""Each guard of the fold taken out, one at a time: the checker of histories finds what it had prevented.

Beside each stands the same order of events with the guard in its place, where it finds nothing.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import pytest
from psycopg import Cursor

from tests.resilience import operations
from tests.resilience import sabotage as guards
from tests.resilience.comparison import differences
from tests.resilience.hierarchy_cast import YEAR
from tests.resilience.hierarchy_sessions import act_as, drain, units_of
from tests.resilience.history import Ledger, Read, keep_ledger
from tests.resilience.history_sessions import RELATIONS, read_relations, read_summaries
from tests.resilience.own_cluster import own_cluster
from tests.resilience.sabotage import LOCK, Sabotage, sabotaged
from tests.resilience.scene import Draft, Scene, load_scene
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.resilience.own_cluster import Connection, OwnCluster

FOLD: LiteralString = "select stats.fold()"
PRECOMPUTE: LiteralString = "select public.precompute_hierarchy(o.id, 2026) from public.organizations o"
SUMMARIES = "hierarchy_stats_cache"
MINUTES = "daily_minutes"
TOTALS: list[LiteralString] = ["daily_totals", "monthly_totals", "peer_mentor_totals", "yearly_totals"]


@dataclass
class Play:
    """Who writes, whose function is sabotaged, who holds lock 1; and the places they play in."""

    own: OwnCluster
    writer: Connection
    worker: Connection
    holder: Connection
    scene: Scene
    units: Sequence[UUID]

    def write(self, number: int, occurred_at: str = "2026-05-17 12:00Z", chapter: int = 0) -> None:
        """Insert one activity with a contact of its own."""
        draft = Draft(chapter, 0, 0, 0, occurred_at, 60, 2, "registered")
        with self.writer.transaction():
            operations.insert(self.writer, [self.scene.activity(UUID(int=number), draft)])
            self.writer.execute(
                "update public.activities set contact_id = id where id = %s", [UUID(int=number)]
            )

    def reads(self) -> list[Read]:
        """Every live relation, and every summary that is called fresh."""
        reads = read_summaries(self.writer, self.units, YEAR)
        with self.writer.transaction():
            act_as(self.writer, self.scene.organization, self.scene.admin)
            return reads + read_relations(self.writer, list(RELATIONS), "read committed")

    def wrong(self, reads: Sequence[Read] | None = None) -> set[str]:
        """Which of these reads, or of reads made now, are not what their snapshots could see."""
        with self.own.connect(admin=True) as connection:
            found, decided = Ledger(connection).violations(self.reads() if reads is None else reads)
        assert decided
        return {violation.split()[0] for violation in found}

    def paused(self, statement: LiteralString) -> AbstractContextManager[object]:
        """Run it until it waits for lock 1, then the block; then let it go on to its end."""
        return _Paused(self, statement)

    def with_or_without(self, sabotage: Sabotage, *, with_guard: bool) -> AbstractContextManager[None]:
        return nullcontext() if with_guard else sabotaged(self.holder, sabotage)


class _Paused:
    def __init__(self, play: Play, statement: LiteralString) -> None:
        self._play = play
        self._waiting = blocked(statement, session=play.worker, by=play.holder, observer=play.writer)

    def __enter__(self) -> None:
        self._play.holder.execute("select pg_advisory_lock(1)")
        self._future = self._waiting.__enter__()

    def __exit__(self, *error: object) -> None:
        self._play.holder.execute("select pg_advisory_unlock(1)")
        self._waiting.__exit__(None, None, None)
        self._future.result()


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("guards") as cluster:
        with cluster.connect(admin=True) as connection:
            prepare_report(connection)
            connection.execute("delete from public.expense_claims")
            connection.execute("delete from public.activities")
            drain(connection)
            keep_ledger(connection)
        yield cluster


@pytest.fixture
def play(own: OwnCluster) -> Iterator[Play]:
    """All begin, and end, exact and with every summary fresh."""
    with own.connect() as writer, own.connect() as worker, own.connect(admin=True) as holder:
        scene = load_scene(writer)
        play = Play(own, writer, worker, holder, scene, units_of(writer, scene))
        play.write(1)
        play.write(2, chapter=1)
        writer.execute(FOLD)
        writer.execute(PRECOMPUTE)
        assert play.wrong() == set()
        yield play
        writer.execute("delete from public.activities")
        writer.execute("select stats.rebuild()")
        writer.execute(FOLD)
        assert differences(writer) == []


with_guard = pytest.mark.parametrize("with_guard", [True, False], ids=["guarded", "sabotaged"])
LIVE = set(RELATIONS) - {"coordinator_monthly_stats"}  # which reads the activities themselves


# ---------------------------------------------------------------- the fold: one statement, one at a time


@with_guard
def test_a_fold_is_one_statement(play: Play, *, with_guard: bool) -> None:
    """In two, what commits between them is deleted and never added."""
    play.write(3)
    sabotage = guards.FOLD_PAUSED if with_guard else guards.FOLD_IN_TWO_STATEMENTS
    with sabotaged(play.holder, sabotage), play.paused(FOLD):
        play.write(4, "2026-06-01 12:00Z")
        assert play.wrong() == set()
    assert play.wrong() == (set() if with_guard else LIVE)


@with_guard
def test_a_fold_is_one_transaction(play: Play, *, with_guard: bool) -> None:
    """In two, whoever reads between them sees less than there is."""
    play.holder.execute("""
        create procedure stats.fold_in_two_transactions() language plpgsql as $$ begin
            create temporary table taken_rows as table stats.activity_changes;
            delete from stats.activity_changes where true;
            commit;
            perform pg_advisory_lock(1), pg_advisory_unlock(1);
            execute 'with taken as (select * from taken_rows), ' || stats.totals_upserts()
                || ' select from zeros';
        end $$""")
    play.holder.execute("alter procedure stats.fold_in_two_transactions() owner to postgres")
    play.write(3)
    if with_guard:
        with sabotaged(play.holder, guards.FOLD_PAUSED), play.paused(FOLD):
            between = play.reads()
    else:
        with play.paused("call stats.fold_in_two_transactions()"):
            between = play.reads()
    play.holder.execute("drop procedure stats.fold_in_two_transactions()")
    assert play.wrong(between) == (set() if with_guard else LIVE | {"hierarchy"})


@with_guard
def test_a_live_read_is_one_statement(play: Play, *, with_guard: bool) -> None:
    """In two, a fold between them makes it count twice, or not at all."""
    parts = [
        "select coalesce(sum(activity_count), 0) from stats.daily_totals",
        "select coalesce(sum(activity_count), 0) from stats.activity_changes",
    ]
    play.write(3)
    found: list[int] = []
    for part in [f"select ({parts[0]}) + ({parts[1]})"] if with_guard else parts:
        row = play.writer.execute(part.encode()).fetchone()
        assert row is not None
        found.append(row[0])
        play.worker.execute(FOLD)
    assert sum(found) == (3 if with_guard else 2)


@with_guard
def test_one_fold_at_a_time(play: Play, *, with_guard: bool) -> None:
    """Without its lock the second one waits for the first."""
    play.write(3)
    play.writer.execute("begin")
    play.writer.execute(FOLD)
    play.worker.execute("set lock_timeout = '1s'")
    with play.with_or_without(guards.FOLD_WITHOUT_ITS_LOCK, with_guard=with_guard):
        if with_guard:
            row = play.worker.execute("select stats.fold() ->> 'outcome'").fetchone()
            assert row == ("already_running",)
            play.writer.execute("commit")
        else:
            with blocked(FOLD, session=play.worker, by=play.writer, observer=play.holder) as fold:
                play.writer.execute("commit")
            fold.result()
    assert play.wrong() == set()


# ---------------------------------------------------------------- summaries


@with_guard
def test_a_summary_keeps_the_mark_of_its_figures(play: Play, *, with_guard: bool) -> None:
    """With one read later, a fold between them is taken for included."""
    sabotage = guards.MARK_PAUSED if with_guard else guards.MARK_READ_AFTER_THE_FIGURES
    compute: LiteralString = (
        "select stats.compute_hierarchy_entry(u.parent_id, 2026) from public.organization_units u "
        "where u.name = 'Grorud'"
    )
    with sabotaged(play.holder, sabotage), play.paused(compute):
        play.write(3)
        play.writer.execute(FOLD)
    assert play.wrong() == (set() if with_guard else {"hierarchy"})


@with_guard
def test_a_summary_is_fresh_only_if_the_log_holds_nothing_for_it(play: Play, *, with_guard: bool) -> None:
    with play.with_or_without(guards.READ_WITHOUT_THE_LOG, with_guard=with_guard):
        play.write(3)
        assert play.wrong() == (set() if with_guard else {"hierarchy"})


@with_guard
def test_a_fold_marks_all_ancestors(play: Play, *, with_guard: bool) -> None:
    play.write(3)
    with play.with_or_without(guards.FOLD_THAT_MARKS_NO_ANCESTORS, with_guard=with_guard):
        play.writer.execute(FOLD)
    assert play.wrong() == (set() if with_guard else {"hierarchy"})


# ---------------------------------------------------------------- the rebuild


@with_guard
def test_a_rebuild_and_a_fold_exclude_each_other(play: Play, *, with_guard: bool) -> None:
    """Or the rebuild adds to a total that the fold brings meanwhile."""
    play.write(3, "2026-07-01 12:00Z")
    play.writer.execute("begin")
    play.writer.execute(FOLD)
    with play.with_or_without(guards.REBUILD_WITHOUT_THE_FOLDS_LOCK, with_guard=with_guard):
        rebuild: LiteralString = "select stats.rebuild()"
        with blocked(rebuild, session=play.worker, by=play.writer, observer=play.holder) as rebuilding:
            play.writer.execute("commit")
        rebuilding.result()
    assert play.wrong() == (set() if with_guard else {"activity_time_series", "get_activity_series"})


@with_guard
def test_a_rebuild_outdates_the_summaries_of_what_it_repairs(play: Play, *, with_guard: bool) -> None:
    play.writer.execute("update stats.yearly_totals set activity_count = activity_count + 1")
    play.writer.execute(PRECOMPUTE)
    assert play.wrong() == {"hierarchy"}
    with play.with_or_without(guards.REBUILD_THAT_OUTDATES_NOTHING, with_guard=with_guard):
        play.writer.execute("select stats.rebuild(%s)", [list(play.scene.chapters)])
    assert play.wrong() == (set() if with_guard else {"hierarchy"})
    play.writer.execute(FOLD)
    assert play.wrong() == (set() if with_guard else {"hierarchy"})


# ---------------------------------------------------------------- what reads activities locks them first


READERS: dict[LiteralString, LiteralString] = {
    "stats.computed_hierarchy_entry(uuid,integer)": (
        "select (stats.computed_hierarchy_entry(u.id, 2026)).payload ->> 'distinct_contacts' "
        "from public.organization_units u where u.name = 'Grorud'"
    ),
    "precompute_hierarchy(uuid,integer)": (
        "select public.precompute_hierarchy(o.id, 2026) from public.organizations o where o.slug = 'nhf'"
    ),
    "app.get_hierarchy_stats(uuid,integer)": (
        "select public.get_hierarchy_stats(u.id, 2026) ->> 'distinct_contacts' "
        "from public.organization_units u where u.name = 'Grorud'"
    ),
    "app.generate_bufdir_report(uuid,date,date,integer)": (
        "select public.generate_bufdir_report(o.id, '2026-01-01', '2027-01-01') "
        "from public.organizations o where o.slug = 'nhf'"
    ),
    "stats.computed_metric_snapshot(uuid,date,date)": (
        "select public.compute_metric_snapshot('2026-01-01', '2027-01-01') - 'computed_at'"
    ),
    "app.get_snapshot_status(date,date)": (
        "select public.get_snapshot_status('2026-01-01', '2027-01-01') ->> 'record_count_now'"
    ),
    "app.get_bufdir_alignment(integer)": "select public.get_bufdir_alignment(2026)",
    "get_monthly_series(uuid,date,date,integer)": (
        "select (s -> 0 -> 'activity_count')::integer from auth.users p, "
        "public.get_monthly_series(p.id, '2026-05-01', '2026-05-31') s where p.email = 'kari@nhf.example'"
    ),
    "app.get_report_remarks(date,date)": "select public.get_report_remarks(p_year := 2026)",
    "app.explain_report_difference(uuid,uuid)": (
        "select public.explain_report_difference(v.id) from public.bufdir_report_versions v"
    ),
}
# They take the lock too. What the first three read, today's PostgreSQL happens to lock before it takes their
# snapshots (see test_interleavings for the first two), and the others refuse what differs from the data.
WITHOUT_A_CONTROL = {
    "stats.audit(uuid[])",
    "stats.rebuild(uuid[])",
    "app.export_person(uuid)",
    "stats.pass_gate(uuid,date,date)",
    "app.prepare_report(date,date)",
    "stats.lock_report_version(uuid)",
    "app.export_report_version(uuid,text)",
}


def test_every_function_that_takes_the_lock_is_played(play: Play) -> None:
    rows = play.writer.execute(
        "select oid::regprocedure::text from pg_proc where strpos(prosrc, %s) > 0", [LOCK]
    )
    assert {row[0] for row in rows} == READERS.keys() | WITHOUT_A_CONTROL


@with_guard
@pytest.mark.parametrize("function", READERS)
def test_no_snapshot_is_older_than_the_lock(play: Play, function: LiteralString, *, with_guard: bool) -> None:
    """What is read beside a migration that rewrites the table is what was read before.

    To a snapshot that is older than its commit, the rewritten table is empty.
    """
    statement = READERS[function]
    summaries: LiteralString = "select unit_id, payload from public.hierarchy_stats_cache order by 1"
    act_as_admin(play.worker, play.scene)
    before = play.worker.execute(statement).fetchall(), play.worker.execute(summaries).fetchall()
    with play.with_or_without(Sabotage(function, (LOCK, "")), with_guard=with_guard):
        play.holder.execute("begin")
        play.holder.execute(
            "alter table public.activities add column rewritten uuid default gen_random_uuid()"
        )
        with blocked(statement, session=play.worker, by=play.holder, observer=play.writer) as reading:
            play.holder.execute("commit")
        rows = reading.result()
    play.holder.execute("alter table public.activities drop column rewritten")
    assert isinstance(rows, Cursor)
    after = rows.fetchall(), play.worker.execute(summaries).fetchall()
    assert (after == before) is with_guard


def prepare_report(connection: Connection) -> None:
    """A version of a report, which will differ from what there is then."""
    act_as_admin(connection, load_scene(connection))
    connection.execute("select public.save_metric_snapshot(p_year := 2026)")
    connection.execute("select public.prepare_report(p_year := 2026)")


def act_as_admin(connection: Connection, scene: Scene) -> None:
    """Be the org admin for the functions, and remain the owner."""
    claims = {
        "sub": str(scene.admin),
        "role": "authenticated",
        "app_metadata": {"org_id": str(scene.organization)},
    }
    connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])


# ---------------------------------------------------------------- the triggers, and the audit


@with_guard
@pytest.mark.parametrize("change", ["insert", "update", "delete"])
def test_an_audit_finds_what_a_trigger_has_not_logged(play: Play, change: str, *, with_guard: bool) -> None:
    trigger = f"activities_log_{change}s"
    if not with_guard:
        play.holder.execute(f"alter table public.activities disable trigger {trigger}".encode())
    if change == "insert":
        play.write(3)
    elif change == "update":
        play.writer.execute("update public.activities set duration_minutes = 61 where id = %s", [UUID(int=1)])
    else:
        play.writer.execute("delete from public.activities where id = %s", [UUID(int=1)])
    play.holder.execute(f"alter table public.activities enable trigger {trigger}".encode())
    assert (play.wrong() == set()) is with_guard
    chapter = play.scene.chapters[0]
    found = {(name, chapter) for name in TOTALS}
    # The day of the mentor, who is active in two chapters on it: told of those where there is anything left.
    found |= {(MINUTES, unit) for unit in play.scene.chapters[1 if change == "delete" else 0 : 2]}
    if change == "delete":  # its contact: summaries count those in the activities
        found |= {(SUMMARIES, unit) for unit in [chapter, *ancestors(play, chapter)]}
    if with_guard:
        found = set()
    assert audited(play) == found
    healed = play.writer.execute("select stats.heal()").fetchone()
    assert healed == (len({unit for _, unit in found}),)
    assert play.wrong() == set()
    assert audited(play) == set()


@pytest.mark.parametrize("total", TOTALS)
def test_an_audit_finds_a_total_that_was_edited_by_hand(play: Play, total: LiteralString) -> None:
    play.write(3)
    assert audited(play) == set()
    edit: LiteralString = f"update stats.{total} set total_minutes = total_minutes + 1 where chapter_id = %s"
    chapter = play.scene.chapters[1]
    play.writer.execute(edit, [chapter])
    # A summary is computed from the totals of the year. Those above are outdated by what was written.
    summaries = {(SUMMARIES, chapter)} if total == "yearly_totals" else set()
    assert audited(play) == {(total, chapter)} | summaries
    assert play.writer.execute("select stats.heal()").fetchone() == (1,)
    assert play.wrong() == set()
    assert audited(play) == set()


def ancestors(play: Play, unit: UUID) -> list[UUID]:
    rows = play.writer.execute("select ancestor_id from app.unit_ancestry(array[%s]::uuid[])", [unit])
    return [ancestor for (ancestor,) in rows if ancestor != unit]


def audited(play: Play) -> set[tuple[str, UUID]]:
    return set(play.writer.execute("select relation_name, chapter_id from stats.audit()").fetchall())
