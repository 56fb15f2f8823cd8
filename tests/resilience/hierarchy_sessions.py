"""Who is at work on the cached summaries: drainers, readers, those who compute, and those who compare."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, LiteralString

import psycopg

from tests.resilience.hierarchy_truth import fresh_entries
from tests.resilience.sessions import Writer, begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tests.resilience.own_cluster import Connection
    from tests.resilience.scene import Scene

YEARS = [2025, 2026]
MOST_BATCHES = 50


def act_as(connection: Connection, organization: UUID, person: UUID) -> None:
    """Take the rights of a signed-in person, for the rest of the transaction."""
    claims = {"sub": str(person), "role": "authenticated", "app_metadata": {"org_id": str(organization)}}
    connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
    connection.execute("set local role authenticated")


def units_of(connection: Connection, scene: Scene) -> list[UUID]:
    """The units that the scene's writers touch: the root, two regions, four chapters."""
    row = connection.execute(
        "select id from public.organization_units where organization_id = %s and parent_id is null",
        [scene.organization],
    ).fetchone()
    assert row is not None
    return [row[0], *scene.regions, *scene.chapters]


def drain(connection: Connection) -> int:
    """Do what the function does with a wake-up; returns how many units were taken."""
    connection.execute("select public.acknowledge_wake_ups()")
    units = 0
    for _ in range(MOST_BATCHES):
        row = connection.execute("select public.take_unit_changes()").fetchone()
        assert row is not None
        units += row[0]["units"]
        if not row[0]["more"]:
            break
    return units


class ContactWriter(Writer):
    """A writer who also changes contacts, which only the summaries count, and the categories."""

    def step(self, connection: Connection) -> str:
        rng = self._random
        if rng.random() < 0.3:
            connection.execute(
                "update public.activities set contact_id = %s where id = (select id from public.activities "
                "where organization_id = %s order by id limit 1 offset %s)",
                [self._scene.mentors[rng.randrange(3)], self._scene.organization, rng.randrange(30)],
            )
            return "contact changed"
        if rng.random() < 0.01:
            connection.execute(
                "update public.bufdir_category_mappings set bufdir_category_code = %s "
                "where activity_type_id = %s",
                [rng.choice(["ONE", "TWO"]), self._scene.types[0]],
            )
            return "category changed"
        return super().step(connection)


class Drainer:
    """Drains; now and then fails in the middle of it."""

    admin = True

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311  work, not secrets

    def step(self, connection: Connection) -> str:
        connection.execute("select pg_sleep(0.02)")  # as wake-ups come, only sooner
        connection.execute("set role service_role")
        try:
            if self._random.random() < 0.1:
                connection.execute("begin")
                connection.execute("select public.take_unit_changes()")
                connection.execute("rollback")
                return "drain failed"
            return "drained" if drain(connection) else "nothing to drain"
        finally:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
                connection.execute("reset role")


class Reader:
    """Reads as an org admin, so that missing entries are computed, and has outdated ones computed anew."""

    admin = True

    def __init__(self, number: int, scene: Scene, units: Sequence[UUID]) -> None:
        self._random = random.Random(number)  # noqa: S311  work, not secrets
        self._scene = scene
        self._units = units

    def step(self, connection: Connection) -> str:
        rng, scene = self._random, self._scene
        unit = rng.choice(self._units)
        year = rng.choice(YEARS)
        with connection.transaction():
            act_as(connection, scene.organization, scene.admin)
            row = connection.execute("select public.read_hierarchy_stats(%s, %s)", [unit, year]).fetchone()
        assert row is not None
        if row[0]["stale"]:
            connection.execute("select public.refresh_hierarchy_entry(%s, %s)", [unit, year])
            return "read stale"
        return "read fresh"


class Precomputer:
    """The schedule and the warm-up: many entries at once; throws some away, so that they are missing."""

    admin = True
    _WORK: tuple[LiteralString, ...] = (
        (
            "select public.precompute_hierarchy(o.id, y) "
            "from public.organizations o, generate_series(2025, 2026) y"
        ),
        "select public.warm_hierarchy_cache()",
        "delete from public.hierarchy_stats_cache where random() < 0.1",
    )

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311  work, not secrets

    def step(self, connection: Connection) -> str:
        connection.execute("select pg_sleep(0.05)")
        connection.execute(
            "select public.record_node_reads(jsonb_object_agg(id, 1)) "
            "from public.organization_units where kind <> 'local'"
        )
        connection.execute(self._random.choice(self._WORK))
        return "computed ahead"


class EntryChecker:
    """Compares all that is called fresh with the truth, in one snapshot; again when that is old."""

    admin = True

    def __init__(self, busy: Sequence[UUID]) -> None:
        self._busy = set(busy)
        self._again = False

    def step(self, connection: Connection) -> str:
        if not self._again:
            begin(connection, "repeatable read, read only")
        fresh = fresh_entries(connection)
        if self._again:
            connection.execute("commit")
        self._again = not self._again
        wrong = [entry for entry in fresh if entry.said != entry.true]
        assert not wrong, f"{len(wrong)} called fresh that are not, such as {wrong[:3]}"
        return "comparison" if any(entry.unit_id in self._busy for entry in fresh) else "nothing fresh"
