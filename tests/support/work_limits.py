"""How much expensive work may be asked for, out of the way of tests that are about something else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

    Limit = tuple[int, int, str]


@contextmanager
def lifted(stack: Stack) -> Iterator[None]:
    """Let everybody ask for as much as they like; afterwards the limits are as before."""
    before = _set_limits(stack, [])
    _set_limits(stack, [(10**6, 10**6, work) for *_, work in before])
    try:
        yield
    finally:
        _set_limits(stack, before)


def _set_limits(stack: Stack, limits: list[Limit]) -> list[Limit]:
    """Return what they were. Over a connection of its own: a test may restart the database meanwhile."""
    with psycopg.connect(stack.db_url) as owner:
        before = owner.execute("select person_burst, organization_burst, work from private.work_limits")
        found: list[Limit] = before.fetchall()
        change = "update private.work_limits set person_burst = %s, organization_burst = %s where work = %s"
        owner.cursor().executemany(change, limits)
        return found
