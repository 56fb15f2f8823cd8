"""Functions of the database with one guard taken out, for tests that must then fail."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.resilience.own_cluster import Connection

# Waits for whoever holds advisory lock 1, in the middle of a function.
PAUSE: LiteralString = "perform pg_advisory_xact_lock(1); "


class Sabotage:
    """Which function, and what stands in its text instead of what: the rest is the real one."""

    def __init__(self, function: LiteralString, *changes: tuple[LiteralString, LiteralString]) -> None:
        self.function = function
        self.changes: Sequence[tuple[LiteralString, LiteralString]] = changes

    def with_a_sleep(self) -> Sabotage:
        """The same where nobody holds lock 1: a pause for others to come between, as chance will have it."""
        sleeping = [(old, new.replace(PAUSE, "perform pg_sleep(0.02); ")) for old, new in self.changes]
        return Sabotage(self.function, *sleeping)


@contextmanager
def sabotaged(connection: Connection, sabotage: Sabotage) -> Iterator[None]:
    """Put the sabotaged function in the place of the real one, which comes back at the end."""
    row = connection.execute("select pg_get_functiondef(%s::regprocedure)", [sabotage.function]).fetchone()
    assert row is not None
    real = text = row[0]
    for old, new in sabotage.changes:
        # lines may be broken anywhere
        parts = re.split(r"\s+".join(map(re.escape, old.split())), text)
        assert len(parts) == 2, f"{sabotage.function} has {len(parts) - 1} times: {old}"
        text = new.join(parts)
    connection.execute(text)
    try:
        yield
    finally:
        connection.execute(real)


_TAKEN: LiteralString = "with taken as (delete from stats.activity_changes where true returning *), "
_COMPUTED: LiteralString = "stats.current_mark(p_unit_id, p_year)\n    into v_entry;"
LOCK: LiteralString = "lock table public.activities in access share mode;"

# Not a guard less: only the pause, for the other half of a test.
FOLD_PAUSED = Sabotage("stats.fold()", ("into v_result;", f"into v_result; {PAUSE}"))
FOLD_IN_TWO_STATEMENTS = Sabotage(
    "stats.fold()",
    (_TAKEN, "with taken as materialized (select * from stats.activity_changes), "),
    ("into v_result;", f"into v_result; {PAUSE} delete from stats.activity_changes where true;"),
)
FOLD_WITHOUT_ITS_LOCK = Sabotage(
    "stats.fold()",
    ("not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'))", "false"),
)
FOLD_THAT_MARKS_NO_ANCESTORS = Sabotage(
    "stats.fold()", ("on u.id = a.ancestor_id", "on u.id = a.ancestor_id and a.level = 1")
)
MARK_PAUSED = Sabotage("stats.computed_hierarchy_entry(uuid, integer)", (_COMPUTED, f"{_COMPUTED} {PAUSE}"))
MARK_READ_AFTER_THE_FIGURES = Sabotage(
    "stats.computed_hierarchy_entry(uuid, integer)",
    (
        _COMPUTED,
        f"0 into v_entry; {PAUSE} v_entry.computed_at_mark := stats.current_mark(p_unit_id, p_year);",
    ),
)
READ_WITHOUT_THE_LOG = Sabotage(
    "stats.is_outdated(public.hierarchy_stats_cache)", ("or exists (", "or false and exists (")
)
REBUILD_WITHOUT_THE_FOLDS_LOCK = Sabotage(
    "stats.rebuild(uuid[])", ("perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));", "")
)
REBUILD_THAT_OUTDATES_NOTHING = Sabotage(
    "stats.rebuild(uuid[])",
    (
        "where p_chapter_ids is null or u.id = any (p_chapter_ids);",
        "where false;",
    ),
)
