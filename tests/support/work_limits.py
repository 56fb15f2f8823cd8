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
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        query = "select person_burst, organization_burst, work from private.work_limits"
        before = owner.execute(query).fetchall()
        change = "update private.work_limits set person_burst = %s, organization_burst = %s where work = %s"
        with owner.cursor() as cursor:
            cursor.executemany(change, [(10**6, 10**6, work) for *_, work in before])
            try:
                yield
            finally:
                cursor.executemany(change, before)
