"""Which summaries are computed before somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.functions.hierarchy.scene import TREE
from tests.functions.hierarchy.support import (
    INVALIDATE,
    WARM,
    post,
    read_until_counted,
)
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import httpx

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


def test_only_those_who_want_it_are_warmed_up(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    read_until_counted(http, admin, forest, national)
    forest.add_activity("leaf")
    for _ in range(2):
        post(http, stack, INVALIDATE)
        for kind in ("most_read", "nightly"):
            post(http, stack, WARM, type=kind)
            report = post(http, stack, WARM, type=kind, organization_id=str(forest.organization))
            assert report == {"warmed": 0, "skipped": 0}
    assert forest.outdated() == {"national": True}

    forest.set("warm_up_enabled", value=True)
    report = post(http, stack, WARM, organization_id=str(forest.organization))
    assert report == {"warmed": 1, "skipped": 0}
    assert forest.outdated() == {"national": False}


def test_the_kill_switch_stops_warm_ups_too(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    forest.set("warm_up_enabled", value=True)
    forest.set("statistics_enabled", value=False)
    body = {"type": "nightly", "organization_id": str(forest.organization)}
    assert post(http, stack, WARM, **body) == {"warmed": 0, "skipped": 0}
    forest.set("statistics_enabled", value=True)
    assert post(http, stack, WARM, **body)["warmed"] >= len(TREE)


def test_by_night_every_unit_is_computed(forest: Forest) -> None:
    """As the schedule does it: the job's own command, its webhooks, and the work behind their answers."""
    year = datetime.now(UTC).year
    forest.set("warm_up_enabled", value=True)
    assert forest.outdated(year) == {}
    row = forest.db.execute(
        "select command from cron.job where jobname = 'fersk-nightly-precompute'"
    ).fetchone()
    assert row is not None
    forest.db.execute(row[0])
    eventually(lambda: forest.outdated(year) == dict.fromkeys(TREE, False))
