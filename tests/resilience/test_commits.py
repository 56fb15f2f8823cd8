"""What a commit asks for is bounded, and fails nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.resilience.hierarchy_sessions import drain
from tests.resilience.sessions import begin
from tests.support.activities import add_activity, like_one
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED

if TYPE_CHECKING:
    from tests.resilience.hierarchy_cast import Cast

ISOLATIONS = ["read committed", "repeatable read", "serializable"]
WINDOW_SECONDS = 2  # in which a wake-up counts as being on its way


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_wake_ups_are_bounded_by_time_whatever_the_isolation(cast: Cast, isolation: str) -> None:
    started = time.monotonic()
    for number in range(1, 60):
        begin(cast.writer, isolation)
        cast.write(number, chapter=number % 4)
        cast.writer.execute("commit")
    assert 1 <= cast.wake_ups() <= 1 + (time.monotonic() - started) / WINDOW_SECONDS


def test_one_statement_in_every_organisation_is_one_wake_up(cast: Cast) -> None:
    cast.writer.execute(
        "update public.activities set duration_minutes = duration_minutes % 1440 + 1 "
        "where id in (select distinct on (organization_id) id from public.activities where is_counted)"
    )
    touched = cast.reader.execute("select count(distinct organization_id) from stats.activity_changes")
    assert touched.fetchone() == (4,)
    assert cast.wake_ups() == 1
    assert drain(cast.drainer) == 4


def test_serializable_inserts_of_unrelated_rows_do_not_fail(cast: Cast) -> None:
    """Both go all the way to asking for a fold and a refresh, and neither has seen the other do so."""
    cast.reader.execute(FORGET_WHAT_WAS_ASKED)
    cast.reader.execute("update stats.stats_refresh_log set last_started_at = null")
    for connection in (cast.writer, cast.drainer):
        begin(connection, "serializable")
    cast.write(1)
    of_the_type = "activity_type_id = %s and id > %s"  # what counts whatever its length
    copied = like_one(cast.drainer, of_the_type, [cast.scene.types[0], UUID(int=1000)])
    add_activity(cast.drainer, id=UUID(int=2), **copied)
    cast.writer.execute("set constraints all immediate")  # as at its commit
    cast.reader.execute(FORGET_WHAT_WAS_ASKED)
    cast.drainer.execute("set constraints all immediate")
    cast.writer.execute("commit")
    cast.drainer.execute("commit")
    assert cast.wake_ups() == 2
    assert cast.reader.execute("select count(*) from stats.errors").fetchone() == (0,)
