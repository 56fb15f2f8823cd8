"""Units that move and vanish while changes below them are logged, drained and computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import pytest

from tests.resilience import operations
from tests.resilience.hierarchy_cast import PRECOMPUTE, YEAR
from tests.resilience.hierarchy_sessions import drain
from tests.resilience.hierarchy_truth import wrong_entries

if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

    from tests.resilience.hierarchy_cast import Cast


def test_a_drain_that_was_late_marks_what_the_tree_was_and_the_move_marks_what_it_is(cast: Cast) -> None:
    """The change is drained along the old tree while a move of its chapter is open."""
    cast.reader.execute("begin")
    operations.move_chapter(cast.reader, cast.chapter, cast.there)
    cast.write(1)
    assert drain(cast.drainer) == 1
    for region in (cast.here, cast.there):
        cast.drainer.execute("select stats.compute_hierarchy_entry(%s, %s)", [region, YEAR])
    assert wrong_entries(cast.drainer) == []
    cast.reader.execute("commit")
    assert cast.is_outdated(cast.here) is True
    assert cast.is_outdated(cast.there) is True
    drain(cast.drainer)
    assert {cast.here, cast.there} <= cast.marked()


def test_a_move_outdates_old_and_new_ancestors_in_every_year(cast: Cast) -> None:
    for region in (cast.here, cast.there):
        cast.reader.execute("select stats.compute_hierarchy_entry(%s, 2025)", [region])
    operations.move_chapter(cast.writer, cast.chapter, cast.there)
    years: LiteralString = (
        "select bool_and(stats.is_outdated(e)) from public.hierarchy_stats_cache e where unit_id = any(%s)"
    )
    assert cast.reader.execute(years, [[cast.here, cast.there]]).fetchone() == (True,)
    assert cast.is_outdated(cast.chapter) is False
    drain(cast.drainer)
    assert cast.reader.execute(years, [[cast.here, cast.there]]).fetchone() == (True,)
    assert cast.is_outdated(cast.chapter) is False


@pytest.mark.parametrize("drained", ["before-the-end", "after-all"])
def test_a_chapter_that_is_deleted_outdates_what_stood_above_it(cast: Cast, drained: str) -> None:
    row = cast.reader.execute(
        "insert into public.organization_units (organization_id, parent_id, kind, name) "
        "values (%s, %s, 'local', 'Temporary') returning id",
        [cast.scene.organization, cast.here],
    ).fetchone()
    assert row is not None
    cast.write(1)
    cast.writer.execute("update public.activities set unit_id = %s where id = %s", [row[0], UUID(int=1)])
    drain(cast.drainer)
    cast.reader.execute(PRECOMPUTE)
    cast.writer.execute("delete from public.activities where id = %s", [UUID(int=1)])
    if drained == "before-the-end":
        drain(cast.drainer)
    cast.writer.execute("delete from public.organization_units where id = %s", [row[0]])
    assert cast.is_outdated(cast.here) is True
    drain(cast.drainer)
    assert cast.is_outdated(cast.here) is True


def test_a_damaged_tree_is_reported_and_hangs_nobody(cast: Cast) -> None:
    warnings: list[str | None] = []

    def listen(diagnostic: Diagnostic) -> None:
        warnings.append(diagnostic.message_primary)

    cast.writer.add_notice_handler(listen)
    cast.writer.execute("begin")
    cast.writer.execute("set local statement_timeout = '5s'")
    cast.writer.execute("alter table public.organization_units disable trigger user")
    cast.writer.execute(
        "update public.organization_units set parent_id = %s where id = %s", [cast.chapter, cast.here]
    )
    found = cast.writer.execute("select public.get_ancestor_ids(%s)", [cast.chapter]).fetchall()
    assert found == [(cast.here,)]
    assert warnings == [f"the tree is damaged: the ancestors of unit {cast.chapter} form a cycle"]
    cast.writer.execute("rollback")
