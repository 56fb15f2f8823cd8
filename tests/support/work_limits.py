"""How much expensive work may be asked for, out of the way of tests that are about something else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@contextmanager
def lifted(stack: Stack) -> Iterator[None]:
    """Let everybody ask for as much as they like; afterwards the limits are as before."""
    with psycopg.connect(stack.db_url) as owner:
        query = "select person_burst, organization_burst, work from private.work_limits"
        before = owner.execute(query).fetchall()
    _set(stack, [(10**6, 10**6, work) for *_, work in before])
    try:
        yield
    finally:
        _set(stack, before)


def _set(stack: Stack, limits: list[tuple[int, int, str]]) -> None:
    # a connection of its own each time: the test may restart the database
    with psycopg.connect(stack.db_url) as owner, owner.cursor() as cursor:
        change = "update private.work_limits set person_burst = %s, organization_burst = %s where work = %s"
        cursor.executemany(change, limits)
