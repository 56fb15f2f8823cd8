"""Three sessions around a few cached summaries, and the places they play in."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tests.resilience import operations
from tests.resilience.hierarchy_sessions import drain
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.scene import Draft, Scene, load_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

YEAR = 2026
PRECOMPUTE = f"select public.precompute_hierarchy(o.id, {YEAR}) from public.organizations o"


@dataclass(frozen=True)
class Cast:
    """Three sessions and the places they play in: a chapter of `here`, whose root is also that of `there`."""

    writer: Connection
    drainer: Connection
    reader: Connection
    scene: Scene

    @property
    def chapter(self) -> UUID:
        return self.scene.chapters[0]

    @property
    def here(self) -> UUID:
        return self.scene.regions[0]

    @property
    def there(self) -> UUID:
        return self.scene.regions[1]

    def write(self, number: int, chapter: int = 0) -> None:
        """Insert one activity, each on another day; ids stay below 300, so that they are found again."""
        day = dt.date(YEAR, 1, 1) + dt.timedelta(days=number)
        draft = Draft(chapter, 0, 0, 0, f"{day} 12:00Z", 60, 2, "registered")
        operations.insert(self.writer, [self.scene.activity(UUID(int=number), draft)])

    def is_outdated(self, unit_id: UUID) -> bool | None:
        """None when nothing is cached."""
        row = self.reader.execute(
            "select stats.is_outdated(e) from public.hierarchy_stats_cache e "
            "where unit_id = %s and period_year = %s",
            [unit_id, YEAR],
        ).fetchone()
        return None if row is None else row[0]

    def marked(self) -> set[UUID]:
        """The units that a fold has marked since their summaries were computed."""
        rows = self.reader.execute(
            "select unit_id from public.hierarchy_stats_cache "
            "where computed_at_mark <> stats.current_mark(unit_id, period_year)"
        )
        return {row[0] for row in rows}

    def wake_ups(self) -> int:
        """How many wake-ups to fold were sent, since the test began."""
        row = self.reader.execute(
            "select count(*) from net.http_request_queue where url like %s", ["%invalidate-hierarchy-cache"]
        ).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def hierarchy_cast(own: OwnCluster) -> Iterator[Cast]:
    """All begin with an empty log and every summary cached and fresh; all must end without a wrong one."""
    with ExitStack() as stack:
        writer, drainer, reader = (stack.enter_context(own.connect()) for _ in range(3))
        drain(reader)
        with reader.transaction():
            reader.execute("delete from net.http_request_queue")
            reader.execute("delete from stats.errors")
        reader.execute("delete from public.hierarchy_stats_cache")
        reader.execute(PRECOMPUTE)
        scene = load_scene(reader)
        yield Cast(writer, drainer, reader, scene)
        for connection in (writer, drainer, reader):
            connection.execute("rollback")
        assert wrong_entries(reader) == []
        drain(drainer)
        assert wrong_entries(reader) == []
        reader.execute(PRECOMPUTE)
        assert wrong_entries(reader) == []
        reader.execute("delete from public.activities where id < %s", [UUID(int=1000)])
        operations.move_chapter(reader, scene.chapters[0], scene.regions[0])
