"""Who is at work under load: writers, refreshers, an administrator, and those who compare."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg import sql

from tests.resilience import operations
from tests.resilience.comparison import MATERIALIZED_VIEWS, differences, public_differences
from tests.resilience.scene import EDITABLE, MINUTES, MOMENTS, STATUSES, Activity, Draft, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.resilience.own_cluster import Connection

ISOLATIONS = ["read committed"] * 7 + ["repeatable read"] * 2 + ["serializable"]
OFTEN = [12, 12, 12, 12, 1]  # MINUTES: only an empty day has room for 24 hours
MOST_ROWS = 60  # of each writer, so that a comparison stays cheap and there are many


def begin(connection: Connection, isolation: str) -> None:
    connection.execute(sql.SQL("begin isolation level {}").format(sql.SQL(isolation)))


class Writer:
    """Inserts, deletes and claims among its own rows, edits anybody's; some transactions are long.

    Writers of the same person and day wait for each other. So most of its rows are of days of its own, in the
    months of all; some are of the days of all.
    """

    admin = False

    def __init__(self, number: int, scene: Scene) -> None:
        self._random = random.Random(number)  # noqa: S311  work, not secrets
        self._scene = scene
        self._base = number << 64
        self._created = 0
        self._moments = [f"{moment[:8]}{number % 28 + 1:02}{moment[10:]}" for moment in MOMENTS]

    def step(self, connection: Connection) -> str:
        rng = self._random
        begin(connection, rng.choice(ISOLATIONS))
        written = False
        for _ in range(rng.choice([1, 1, 2, 4])):
            if rng.random() < 0.2:
                self._undone(connection)
            written |= self._write(connection)
            if rng.random() < 0.03:
                connection.execute("select pg_sleep(%s)", [rng.random()])  # a long transaction is the point
        if rng.random() < 0.15:
            connection.execute("rollback")
            return "rolled back"
        connection.execute("commit")
        return "committed" if written else "refused"

    def _undone(self, connection: Connection) -> None:
        connection.execute("savepoint undone")
        self._write(connection)
        connection.execute("rollback to savepoint undone")

    def _write(self, connection: Connection) -> bool:
        """Write something; false if it was refused, as a day has 24 hours."""
        with operations.unless_the_day_is_full(connection):
            self._write_something(connection)
            return True
        return False

    def _write_something(self, connection: Connection) -> None:
        own = [
            row[0]
            for row in connection.execute(
                "select id from public.activities where id between %s and %s order by id",
                [UUID(int=self._base), UUID(int=self._base + (1 << 64) - 1)],
            )
        ]
        if len(own) > MOST_ROWS:
            operations.delete(connection, self._some(own, 30))
            return
        rng, few = self._random, self._some(own, 3)
        writes: list[Callable[[], None]] = [
            lambda: operations.insert(connection, self._rows(1)),
            lambda: operations.insert(connection, self._rows(25)),
            lambda: operations.copy(connection, self._rows(10)),
            lambda: operations.upsert(connection, self._rows(3, few)),
            lambda: self._merge(connection, few),
            lambda: operations.replace(connection, few[:1], few[1:], self._rows(2)),
            lambda: operations.delete(connection, few),
            lambda: operations.claim_expense(connection, few, rng.randint(1, 900)),
            lambda: operations.decide_expenses(connection, few, rng.choice(["approved", "rejected"])),
            lambda: self._edit_anybodys(connection),
            lambda: self._edit_anybodys(connection),
            lambda: operations.move_chapter(
                connection, rng.choice(self._scene.chapters), rng.choice(self._scene.regions)
            ),
        ]
        rng.choice(writes)()

    def _merge(self, connection: Connection, few: list[UUID]) -> None:
        rows = self._rows(3, few)
        operations.withdraw_expenses(connection, [row.id for row in rows])
        operations.merge(connection, rows)

    def _edit_anybodys(self, connection: Connection) -> None:
        """Writers meet on these rows: whoever comes second waits for the first."""
        everybodys = [
            row[0]
            for row in connection.execute(
                "select id from public.activities where organization_id = %s order by id desc limit 20",
                [self._scene.organization],
            )
        ]
        like = self._rows(1)[0]
        if self._random.random() < 0.2:
            operations.reassign(connection, self._some(everybodys, 2), like.peer_mentor_id)
        else:
            operations.edit(connection, self._some(everybodys, 2), self._random.choice(EDITABLE), like)

    def _some(self, ids: list[UUID], count: int) -> list[UUID]:
        return self._random.sample(ids, min(count, len(ids)))

    def _rows(self, count: int, overwritten: list[UUID] | None = None) -> list[Activity]:
        """New rows; the first of them with the ids given."""
        rng = self._random
        ids = (overwritten or [])[:count]
        while len(ids) < count:
            self._created += 1
            ids.append(UUID(int=self._base + self._created))
        moments = MOMENTS if rng.random() < 0.2 else self._moments
        return [
            self._scene.activity(
                activity_id,
                Draft(
                    *(rng.randrange(4), rng.randrange(3), rng.choice([None, 0, 1]), rng.randrange(2)),
                    *(rng.choice(moments), rng.choices(MINUTES, OFTEN)[0]),
                    *(rng.randrange(4), rng.choice(STATUSES)),
                ),
            )
            for activity_id in ids
        ]


class Refresher:
    """Folds and refreshes several times a second: the schedule's way and the function's way in turn."""

    admin = True

    def __init__(self) -> None:
        self._turn = 0

    def step(self, connection: Connection) -> str:
        self._turn += 1
        connection.execute("select pg_sleep(0.05)")  # as a schedule would, only sooner
        if self._turn % 2:
            row = connection.execute("select stats.refresh(p_force := true) ->> 'outcome'").fetchone()
        else:
            connection.execute("set role service_role")
            row = connection.execute("select public.refresh_stats_views() ->> 'outcome'").fetchone()
            connection.execute("reset role")
        assert row is not None
        assert row[0] in {"refreshed", "already_running", "debounced", "nothing_pending"}
        return str(row[0])


class Auditor:
    """Never finds a difference, while others write, fold and rebuild."""

    admin = True

    def step(self, connection: Connection) -> str:
        connection.execute("select pg_sleep(0.05)")
        found = connection.execute("select relation_name, chapter_id from stats.audit()").fetchall()
        assert not found, f"{len(found)} differences, such as {found[:5]}"
        return "audited"


class Administrator:
    """Refreshes and rebuilds by hand, sometimes between changes of its own in the same transaction."""

    admin = True

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311  work, not secrets

    def step(self, connection: Connection) -> str:
        rng = self._random
        begin(connection, rng.choice(ISOLATIONS))
        if rng.random() < 0.3:
            self._edit(connection)
        if rng.random() < 0.2:
            connection.execute("select stats.refresh(p_force := true)")
        elif rng.random() < 0.3:
            connection.execute("select stats.rebuild()")
        else:
            view = sql.Identifier(rng.choice(MATERIALIZED_VIEWS))
            connection.execute(sql.SQL("refresh materialized view concurrently stats.{}").format(view))
        if rng.random() < 0.3:
            self._edit(connection)
        if rng.random() < 0.2:
            connection.execute("rollback")
            return "refresh rolled back"
        connection.execute("commit")
        return "refreshed by hand"

    def _edit(self, connection: Connection) -> None:
        with operations.unless_the_day_is_full(connection):
            connection.execute(
                "update public.activities set duration_minutes = duration_minutes % 1440 + 1 "
                "where id = (select id from public.activities order by id limit 1)"
            )


class Checker:
    """Compares every statistic with the truth in one snapshot, and once more when that has grown old."""

    admin = False

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._again = False

    def step(self, connection: Connection) -> str:
        if not self._again:
            begin(connection, "repeatable read, read only")
        found = differences(connection)
        found += public_differences(connection, self._scene.organization, self._scene.admin)
        assert not found, f"{len(found)} differences, such as {found[:5]}"
        if self._again:
            connection.execute("commit")
        self._again = not self._again
        return "comparison"
