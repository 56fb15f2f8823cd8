"""A transaction stays open in its upkeep, and something is wrong besides: nobody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from tests.resilience.comparison import differences
from tests.resilience.faults.stage import WAIT_FOR_NOBODY, Stage, forget_what_was_asked, replaced, value
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

UPKEEP: dict[str, LiteralString] = {
    "fold": "select stats.fold() ->> 'outcome'",
    "refresh": "select stats.refresh(p_force := true) ->> 'outcome'",
    "function's refresh": "select public.refresh_stats_views() ->> 'outcome'",
    "drain": "select (public.take_unit_changes() ->> 'more')::boolean",
    "sweep": "select stats.sweep()",
    "health": "select public.get_health()",
}
MODES = ["async", "inline"]
# How it once was: every failure went into one row that all share.
SHARED_ROW: LiteralString = """
    create or replace function stats.record_error(p_message text) returns void
        language sql volatile security invoker set search_path = ''
    begin atomic
        update stats.stats_refresh_log set last_requested_at = clock_timestamp() where only_row;
    end"""


@pytest.fixture(params=[True, False], ids=["with-secret", "without-secret"])
def has_secret(stage: Stage, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the webhook secret is set: without it no wake-up can be signed."""
    secret = value(stage.observer, "select private.secret('fersk_webhook_secret')")
    if not request.param:
        stage.observer.execute("delete from private.secrets where name = 'fersk_webhook_secret'")
    yield bool(request.param)
    stage.observer.execute("select private.set_secret('fersk_webhook_secret', %s)", [secret])


@pytest.fixture
def open_upkeep(stage: Stage, request: pytest.FixtureRequest) -> Iterator[str]:
    """Leave session one in a transaction that has written, and done what its commit would do."""
    stage.observer.execute(
        "update stats.settings set refresh_mode = %s, debounce = '0' where only_row", [request.param]
    )
    stage.one.execute("begin")
    stage.write(stage.one, 1)
    stage.one.execute("set constraints all immediate")
    stage.two.execute(WAIT_FOR_NOBODY)
    yield request.param
    stage.two.execute("reset lock_timeout; reset statement_timeout")
    stage.observer.execute(
        "update stats.settings set refresh_mode = 'async', debounce = '10 seconds' where only_row"
    )


@pytest.mark.parametrize("open_upkeep", MODES, indirect=True)
def test_writers_of_this_and_other_organisations_do_not_wait(
    stage: Stage, open_upkeep: str, *, has_secret: bool
) -> None:
    for number in range(2, 6):
        forget_asking(stage)  # each goes all the way to asking
        stage.write_elsewhere(stage.two, 2 * number)
        forget_asking(stage)
        stage.write(stage.two, 2 * number + 1, day=number)  # of another day: one that is the same does wait
    stage.one.execute("commit")
    assert differences(stage.observer) == []
    errors = [row[0] for row in stage.observer.execute("select message from stats.errors order by id")]
    if has_secret or open_upkeep == "inline":
        assert errors == []
    else:
        # a row of its own for each that asked and failed, in words
        assert len(errors) >= len(range(2, 6))
        assert {message.partition(": ")[2] for message in errors} == {
            'P0002: secret "fersk_webhook_secret" is not set'
        }
        assert value(stage.observer, "select public.get_health() ->> 'last_error'") == errors[-1]


def forget_asking(stage: Stage) -> None:
    stage.observer.execute(FORGET_WHAT_WAS_ASKED)


@pytest.mark.parametrize("open_upkeep", MODES, indirect=True)
@pytest.mark.parametrize("name", UPKEEP)
@pytest.mark.usefixtures("has_secret")
def test_the_upkeep_does_not_wait(stage: Stage, open_upkeep: str, name: str) -> None:
    stage.write_elsewhere(stage.two, 2)
    said = value(stage.two, UPKEEP[name])
    if name in {"fold", "refresh", "function's refresh"}:
        # whoever folds or refreshes in an open transaction keeps others from doing so, and from waiting
        done = {"folded", "refreshed"}
        assert said in ({"already_running"} if open_upkeep == "inline" else done)
    assert differences(stage.two) == []
    stage.one.execute("commit")
    assert differences(stage.two) == []
    assert value(stage.two, "select stats.refresh(p_force := true) ->> 'outcome'") == "refreshed"
    assert differences(stage.two) == []


def test_errors_in_one_shared_row_would_make_others_wait(stage: Stage) -> None:
    """A control: the former design, met with the same steps."""
    secret = value(stage.observer, "select private.secret('fersk_webhook_secret')")
    stage.observer.execute("delete from private.secrets where name = 'fersk_webhook_secret'")
    try:
        with replaced(stage.observer, "stats.record_error(text)", SHARED_ROW):
            forget_what_was_asked(stage.observer)
            stage.one.execute("begin")
            stage.write(stage.one, 1)
            stage.one.execute("set constraints all immediate")
            forget_asking(stage)
            stage.two.execute(WAIT_FOR_NOBODY)
            with pytest.raises(
                psycopg.errors.LockNotAvailable, match="canceling statement due to lock timeout"
            ):
                stage.write_elsewhere(stage.two, 2)
            stage.one.execute("rollback")
    finally:
        stage.observer.execute("select private.set_secret('fersk_webhook_secret', %s)", [secret])
        stage.two.execute("reset lock_timeout; reset statement_timeout")
