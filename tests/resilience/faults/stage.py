"""Who plays in a fault: two sessions, an observer, and the ways in which they act."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from tests.resilience import operations
from tests.resilience.scene import Draft, Scene
from tests.support.activities import add_activity, like_one
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

YEAR = 2026
# A wait for a lock, were there one, is seen as an error; nothing here takes this long by itself.
WAIT_FOR_NOBODY = "set lock_timeout = '500ms'; set statement_timeout = '20s'"


@dataclass(frozen=True)
class Stage:
    """Two sessions, somebody who looks on, and a small part of the seeded organisation."""

    cluster: OwnCluster
    one: Connection
    two: Connection
    observer: Connection
    scene: Scene

    def write(
        self,
        session: Connection,
        number: int,
        status: str = "registered",
        *,
        chapter: int = 0,
        day: int = 17,
        minutes: int = 60,
    ) -> None:
        """Insert one activity; ids stay below a million, so that they are found again.

        All are of one person: open transactions that register a day of theirs wait for each other.
        """
        draft = Draft(chapter, 0, 0, 0, f"2026-05-{day:02} 12:00Z", minutes, 2, status)
        operations.insert(session, [self.scene.activity(UUID(int=number), draft)])

    def write_elsewhere(self, session: Connection, number: int) -> None:
        """Insert one activity of another organisation: like one of its own, and it counts."""
        # one that is no larger than what is added: so that counts by the same rule
        counts: LiteralString = "is_counted and duration_minutes <= 60 and participant_count = 1"
        copied = like_one(session, f"{counts} and organization_id <> %s", [self.scene.organization])
        add_activity(session, id=UUID(int=number), **copied)

    def as_admin(self, session: Connection) -> None:
        """Act as the org admin, through the API's role."""
        claims = {
            "sub": str(self.scene.admin),
            "role": "authenticated",
            "app_metadata": {"org_id": str(self.scene.organization)},
        }
        session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        session.execute("set role authenticated")


def value(session: Connection, query: LiteralString, parameters: list[object] | None = None) -> Any:
    """Give the one value of a query's one row."""
    row = session.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


def forget_what_was_asked(session: Connection) -> None:
    """As if nothing had been asked for of late: the next writer asks for everything."""
    session.execute(FORGET_WHAT_WAS_ASKED)
    session.execute(
        "update stats.stats_refresh_log set last_requested_at = null, last_started_at = null where only_row"
    )
    session.execute("delete from net.http_request_queue where true")


@contextmanager
def replaced(session: Connection, function: LiteralString, definition: LiteralString) -> Iterator[None]:
    """Replace a function by a simpler one, as a control: what the real one guards against must show."""
    before = value(session, "select pg_get_functiondef(%s::regprocedure)", [function])
    session.execute(definition)
    try:
        yield
    finally:
        session.execute(before.encode())
