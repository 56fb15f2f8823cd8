"""How long the database takes to read, to compute and to walk up; nothing else runs meanwhile."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any, LiteralString

from bench.figures import label
from tools.large.population import Population

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

READ = "select public.read_hierarchy_stats(%s, %s)"
UNDRAINED = (0, 100, 5_000)  # changes in the log when the cached summary is read
OF_THE_FIGURE = 100


def measure(connection: Connection, rows: int, year: int, rounds: int) -> dict[str, float]:
    """Return what each takes; the connection is the owner's, in autocommit; the log is empty."""
    people = Population()
    root, leaf = people.units[0].id, people.chapters[0]
    statements: dict[str, tuple[LiteralString, list[Any]]] = {
        "all_nodes": ("select public.precompute_hierarchy(%s, %s)", [people.organization_id, year]),
        "national": ("select stats.hierarchy_summary(%s, %s)", [root, year]),
    }
    times = {name: _times(connection, *statement, rounds) for name, statement in statements.items()}
    size = label(rows)
    figures = {
        # what else the machine does can only add: the fastest round is what the work takes
        f"all_nodes_seconds_{size}": min(times["all_nodes"]),
        f"all_nodes_seconds_{size}_median": statistics.median(times["all_nodes"]),
        f"national_recompute_ms_{size}": 1000 * min(times["national"]),
        f"national_recompute_ms_{size}_median": 1000 * statistics.median(times["national"]),
    }
    figures["nodes"] = float(len(people.units))
    admin, coordinator = people.people[0].id, people.coordinators[0].id
    for undrained in UNDRAINED:
        with connection.transaction(force_rollback=True):
            _log(connection, leaf, undrained, year)
            national = _read_as(connection, admin, root, year, rounds * 40)
            chapter = _read_as(connection, coordinator, leaf, year, rounds * 40)
        figures[f"national_cached_read_ms_{undrained}_undrained"] = national
        figures[f"chapter_cached_read_ms_{undrained}_undrained"] = chapter
    figures["national_cached_read_ms"] = figures[f"national_cached_read_ms_{OF_THE_FIGURE}_undrained"]
    figures["ancestors_ms"] = _ancestors(connection, admin, leaf, rounds * 40)
    return figures


def _log(connection: Connection, leaf: str, count: int, year: int) -> None:
    """Log changes that no fold has taken, of a year before the entry's.

    The worst case: all of it is looked through, because none of it outdates the entry.
    """
    connection.execute(
        "insert into stats.activity_changes (organization_id, chapter_id, peer_mentor_id, "
        "activity_type_id, bucket_date) "
        "select organization_id, id, id, id, make_date(%s, 3, 1) "
        "from public.organization_units, generate_series(1, %s) where id = %s",
        [year - 1, count, leaf],
    )


def _times(
    connection: Connection, statement: LiteralString, parameters: Sequence[Any], rounds: int
) -> list[float]:
    """Return the seconds that each execution took."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        connection.execute(statement, parameters)
        seconds.append(time.perf_counter() - started)
    return seconds


def _median_ms(
    connection: Connection, statement: LiteralString, parameters: Sequence[Any], rounds: int
) -> float:
    return 1000 * statistics.median(_times(connection, statement, parameters, rounds))


def _read_as(connection: Connection, person: str, unit: str, year: int, times: int) -> float:
    """Return the median in milliseconds of a read with the rights of a person, set beforehand."""
    with connection.transaction(force_rollback=True):
        _act_as(connection, person)
        connection.execute(READ, [unit, year])  # a missing entry would be computed here
        return _median_ms(connection, READ, [unit, year], times)


def _ancestors(connection: Connection, person: str, leaf: str, times: int) -> float:
    with connection.transaction(force_rollback=True):
        _act_as(connection, person)
        return _median_ms(connection, "select public.get_ancestor_ids(%s)", [leaf], times)


def _act_as(connection: Connection, person: str) -> None:
    claims = {"sub": person, "role": "authenticated", "app_metadata": {"org_id": Population.organization_id}}
    connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
    connection.execute("set local role authenticated")
