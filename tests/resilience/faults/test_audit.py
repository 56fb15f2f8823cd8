"""What was written past the triggers, or edited by hand, is found by the audit, shown, and healed."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.resilience.comparison import differences, public_differences
from tests.resilience.faults.stage import YEAR, Stage, value
from tests.resilience.hierarchy_truth import fresh_entries, wrong_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

TOTALS = ["daily_totals", "monthly_totals", "peer_mentor_totals", "yearly_totals"]
SUMMARIES = "hierarchy_stats_cache"
FOUND: LiteralString = "select relation_name, chapter_id from stats.audit()"
ROW: LiteralString = "00000000-0000-0000-0000-000000000002"
ITS_CHAPTER: LiteralString = f"(select unit_id from public.activities where id = '{ROW}')"
# Each damages one chapter. The audit compares summaries with the totals: wrong totals are found as such.
DAMAGE: dict[str, tuple[LiteralString, list[str]]] = {
    "rows inserted": (
        f"""insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,
               activity_type_id, occurred_at, activity_date, duration_minutes)
           select '00000000-0000-0000-0000-000000000009', organization_id, unit_id, peer_mentor_id,
                  registered_by, activity_type_id, occurred_at, activity_date, 60
           from public.activities where id = '{ROW}'""",
        ["daily_minutes", *TOTALS],
    ),
    "a row deleted": (f"delete from public.activities where id = '{ROW}'", ["daily_minutes", *TOTALS]),
    "minutes changed": (
        f"update public.activities set duration_minutes = 59 where id = '{ROW}'",
        ["daily_minutes", *TOTALS],
    ),
    "a contact changed": (
        f"update public.activities set contact_id = gen_random_uuid() where id = '{ROW}'",
        [SUMMARIES],
    ),
    "expenses approved": (
        f"""insert into public.expense_claims (organization_id, activity_id, amount_nok, status, decided_at)
            select organization_id, id, 250, 'approved', now() from public.activities where id = '{ROW}'""",
        ["expense_claims"],
    ),
    "a sum of expenses edited": (
        f"update public.activities set approved_expenses_nok = 250 where id = '{ROW}'",
        ["expense_claims", *TOTALS],
    ),
    "a total edited": (
        f"""update stats.daily_totals set total_minutes = total_minutes + 1
            where chapter_id = {ITS_CHAPTER} and bucket_date = '2026-05-17'""",
        ["daily_totals"],
    ),
    "a total deleted": (
        f"""delete from stats.monthly_totals
            where chapter_id = {ITS_CHAPTER} and activity_month = '2026-05-01'""",
        ["monthly_totals"],
    ),
    "a summary edited": (
        f"""update public.hierarchy_stats_cache set payload = jsonb_set(payload, '{{activity_count}}', '7')
            where unit_id = {ITS_CHAPTER}""",
        [SUMMARIES],
    ),
}


@pytest.fixture
def chapter(stage: Stage) -> UUID:
    """Give a chapter with two activities more; everything is folded, and every summary cached and fresh."""
    stage.write(stage.one, 1)
    stage.write(stage.one, 2)
    stage.observer.execute("select stats.fold()")
    stage.observer.execute(f"select public.precompute_hierarchy(id, {YEAR}) from public.organizations")
    assert stage.observer.execute(FOUND).fetchall() == []
    return stage.scene.chapters[0]


def damage(stage: Stage, statement: LiteralString) -> None:
    """As a restore of data does it, or somebody who knows better: with the triggers off."""
    with stage.cluster.connect(admin=True) as admin, admin.transaction():
        admin.execute("set local session_replication_role = replica")
        admin.execute(statement)


def ancestors(stage: Stage, unit: UUID) -> set[UUID]:
    rows = stage.observer.execute("select ancestor_id from app.unit_ancestry(array[%s]::uuid[])", [unit])
    return {ancestor for (ancestor,) in rows}


def assert_healed(stage: Stage) -> None:
    assert differences(stage.observer) == []
    with stage.observer.transaction():
        assert public_differences(stage.observer, stage.scene.organization, stage.scene.admin) == []
    assert wrong_entries(stage.observer) == []
    assert stage.observer.execute(FOUND).fetchall() == []


def read(stage: Stage, unit: UUID) -> dict[str, object]:
    """What the API says of a unit, to an org admin."""
    stage.as_admin(stage.two)
    answer = value(stage.two, "select public.read_hierarchy_stats(%s, %s)", [unit, YEAR])
    stage.two.execute("reset role")
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize(
    "repair", ["select stats.heal()", "select stats.rebuild()", "select stats.audit_sample(1000000)"]
)
def test_damage_is_found_shown_and_healed(
    stage: Stage, chapter: UUID, name: str, repair: LiteralString
) -> None:
    statement, relations = DAMAGE[name]
    damage(stage, statement)
    if "total " not in name and "expenses" not in name:
        assert wrong_entries(stage.observer) != []  # called fresh, with the old figures
    found = set(stage.observer.execute(FOUND).fetchall())
    assert {relation for relation, _ in found} == set(relations)
    assert {unit for _, unit in found} <= ancestors(stage, chapter)
    assert {(relation, chapter) for relation in relations} <= found
    shown = value(stage.observer, "select public.get_health()")
    assert shown["differences"] == len(found)
    assert shown["last_difference_at"] is not None

    stage.observer.execute(repair)
    for unit in (chapter, *stage.scene.regions[:1]):
        assert read(stage, unit)["stale"] is True  # at once, before any fold
    assert_healed(stage)
    stage.observer.execute("select stats.fold()")
    assert_healed(stage)
    for unit in ancestors(stage, chapter):
        stage.observer.execute("select public.refresh_hierarchy_entry(%s, %s)", [unit, YEAR])
        assert read(stage, unit)["stale"] is False
    assert_healed(stage)
    assert {e.unit_id for e in fresh_entries(stage.observer)} >= ancestors(stage, chapter)


# Of the tree and the mapping, which outdate summaries of units that have no activities themselves.
ABOVE: dict[str, LiteralString] = {
    "a unit moved": f"""update public.organization_units u set parent_id = (
            select r.id from public.organization_units r
            where r.organization_id = u.organization_id and r.kind = 'region' and r.id <> u.parent_id
            order by r.id limit 1)
        where u.id = {ITS_CHAPTER}""",
    "a category changed": f"""update public.bufdir_category_mappings set bufdir_category_code = 'ELSE'
        where activity_type_id = (select activity_type_id from public.activities where id = '{ROW}')""",
}


@pytest.mark.parametrize("name", ABOVE)
def test_summaries_above_are_healed_by_night(stage: Stage, chapter: UUID, name: str) -> None:
    damage(stage, ABOVE[name])
    assert wrong_entries(stage.observer) != []
    found = set(stage.observer.execute(FOUND).fetchall())
    assert {relation for relation, _ in found} == {SUMMARIES}
    stage.observer.execute("select stats.heal()")
    assert read(stage, stage.scene.regions[0])["stale"] is True
    stage.observer.execute("select stats.fold()")
    assert wrong_entries(stage.observer) == []
    assert stage.observer.execute(FOUND).fetchall() == []
    assert read(stage, chapter)["year"] == YEAR


def test_a_healthy_database_has_nothing_to_show(stage: Stage, chapter: UUID) -> None:
    """The allowed twin: what goes through the triggers, folded or not, is no difference."""
    stage.write(stage.one, 3)
    stage.one.execute(
        "update public.activities set contact_id = gen_random_uuid() where id = %s", [UUID(int=3)]
    )
    for step in ("select 1", "select stats.fold()", "select stats.refresh(p_force := true)"):
        stage.observer.execute(step.encode())
        assert stage.observer.execute(FOUND).fetchall() == []
        assert value(stage.observer, "select stats.heal()") == 0
    shown = value(stage.observer, "select public.get_health()")
    assert (shown["differences"], shown["last_difference_at"]) == (0, None)
    assert read(stage, chapter)["stale"] is True


def test_the_repair_of_one_chapter_leaves_others_alone(stage: Stage, chapter: UUID) -> None:
    other = stage.scene.chapters[2]
    damage(stage, DAMAGE["minutes changed"][0])
    assert value(stage.observer, "select stats.heal(array[%s::uuid])", [other]) == 0
    assert differences(stage.observer) != []
    assert read(stage, other)["stale"] is False
    assert value(stage.observer, "select stats.heal(array[%s::uuid])", [chapter]) == 1
    assert read(stage, other)["stale"] is False
    stage.observer.execute("select stats.fold()")
    assert read(stage, other)["stale"] is False
    assert_healed(stage)


@pytest.fixture
def _public_data_restored(stage: Stage, chapter: UUID) -> Iterator[None]:
    """As if only the public tables, the summaries among them, had been restored: no log, totals or marks."""
    del chapter
    with stage.cluster.connect(admin=True) as admin:
        for table in (*TOTALS, "marks", "activity_changes", "tree_changes", "unrefreshed_changes"):
            admin.execute(f"delete from stats.{table} where true".encode())
    yield
    stage.observer.execute("select stats.rebuild()")


@pytest.mark.usefixtures("_public_data_restored")
def test_public_data_alone_is_healed(stage: Stage) -> None:
    damage(stage, "update public.hierarchy_stats_cache set computed_at_mark = 0 where true")
    damage(stage, DAMAGE["a contact changed"][0])
    assert wrong_entries(stage.observer) != []
    found = {relation for relation, _ in stage.observer.execute(FOUND)}
    assert found == {*TOTALS, SUMMARIES}
    assert value(stage.observer, "select stats.heal()") > 0
    assert_healed(stage)
    stage.observer.execute("select stats.fold()")
    assert_healed(stage)


def test_nobody_but_the_owner_audits_or_repairs(stage: Stage) -> None:
    stage.as_admin(stage.two)
    for call in ("select stats.audit()", "select stats.heal()", "select stats.rebuild()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema stats"):
            stage.two.execute(call.encode())
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege, match="permission denied for function get_health"
    ):
        stage.two.execute("select public.get_health()")
    stage.two.execute("reset role")
    stage.two.execute("set role service_role")
    assert "differences" in value(stage.two, "select public.get_health()")
