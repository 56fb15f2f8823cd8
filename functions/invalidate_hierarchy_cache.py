"""`POST /functions/v1/invalidate-hierarchy-cache`: drains the log of changed units, then warms up.

The log is drained for a moment before the answer, and behind it while there is more.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from _shared.background import SingleFlight
from _shared.callers import Service, Webhook
from _shared.http.endpoint import endpoint
from _shared.result import Err, Ok, Result
from _shared.warm_up import MAX_SECONDS, WarmUps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from _shared.database import Database
    from _shared.database.hierarchy import DrainReport, WarmUpReport
    from _shared.http.request import Call
    from _shared.inputs import Input

DRAIN_SECONDS = 0.25  # before the answer: the database's sender waits for it before it sends anything else
FOLLOW_SECONDS = 2.0  # behind it; under load the next wake-up comes within about a second
PAUSE_SECONDS = 0.05  # a writer between its wake-up and its commit needs a few milliseconds


class InvalidationReport(BaseModel):
    """What this call did; with several at once, each counts its own part.

    units       : changed units taken from the log before this answer, counted once a batch.
    invalidated : summaries marked: of those units and their ancestors, by year.
    warmed      : summaries computed anew before this answer; none for a webhook, which is answered first.
    """

    model_config = ConfigDict(frozen=True)

    units: int
    invalidated: int
    warmed: int


@dataclass(frozen=True, slots=True)
class Pace:
    """The clock and how to wait, in seconds: arguments, so that tests need no time."""

    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Drained:
    """What came out of the log, in one or several batches.

    more : the log was not seen empty with no writer on the way.
    """

    units: int = 0
    invalidated: int = 0
    organization_ids: set[UUID] = field(default_factory=set)
    more: bool = True

    def add(self, batch: DrainReport) -> None:
        """Add what one batch did."""
        self.units += batch.units
        self.invalidated += batch.invalidated
        self.organization_ids.update(batch.organization_ids)
        self.more = batch.more


async def drain(database: Database, pace: Pace) -> Result[Drained]:
    """Take batches until there is no more, or for `DRAIN_SECONDS`; at least one."""
    drained = Drained()
    deadline = pace.clock() + DRAIN_SECONDS
    while True:
        batch = await database.take_unit_changes()
        if isinstance(batch, Err):
            return batch
        drained.add(batch.value)
        if not drained.more or pace.clock() >= deadline:
            return Ok(drained)
        await pace.pause(PAUSE_SECONDS)


class Follower:
    """Goes on draining behind the answers, once in this process, however many calls ask for it.

    So that changes under load are not left lying from one wake-up to the next.
    """

    def __init__(self) -> None:
        self._flight: SingleFlight[str] = SingleFlight()
        self._is_asked = False
        self._asked_at = 0.0

    async def run(self, database: Database, pace: Pace) -> Result[Drained]:
        """Drain until there is no more; if nobody asks for `FOLLOW_SECONDS`, have another call sent instead.

        Whoever asks while it runs gets an empty answer, and at least one batch is taken after they asked.
        """
        self._is_asked, self._asked_at = True, pace.clock()
        followed = await self._flight.run("log", partial(self._follow, database, pace))
        if followed is None:
            return Ok(Drained(more=False))
        if isinstance(followed, Ok) and followed.value.more:
            requested = await database.request_invalidation_again()
            if isinstance(requested, Err):
                return requested
        return followed

    async def _follow(self, database: Database, pace: Pace) -> Result[Drained]:
        drained = Drained(more=False)
        while self._is_asked or (drained.more and pace.clock() < self._asked_at + FOLLOW_SECONDS):
            await pace.pause(PAUSE_SECONDS)
            self._is_asked = False
            batch = await database.take_unit_changes()
            if isinstance(batch, Err):
                return batch
            drained.add(batch.value)
        return Ok(drained)


@dataclass(frozen=True, slots=True)
class Background:
    """What goes on in this process behind the answers, shared by all calls."""

    warm_ups: WarmUps = field(default_factory=WarmUps)
    follower: Follower = field(default_factory=Follower)
    pace: Pace = field(default_factory=Pace)


BACKGROUND = Background()


@endpoint("POST", callers={Webhook, Service})
async def invalidate_hierarchy_cache(call: Call[Input]) -> Result[InvalidationReport]:
    """Mark the summaries that changes outdated, tell the apps, and compute the most read ones anew."""
    return await invalidate_hierarchy(call, BACKGROUND)


async def invalidate_hierarchy(call: Call[Input], background: Background) -> Result[InvalidationReport]:
    """Drain the log, then warm up: behind the answer of a webhook, before that of anybody else.

    The wake-ups are acknowledged first, in a transaction of their own: a writer that comes later sends its
    own, and one that came before and relied on another's is waited for. Marking and broadcasting never wait
    for a warm-up, nor do other webhooks: the database's sender takes no next batch before it has the answers
    of this one.

    Errors : upstream_unavailable, upstream_timeout, internal. Safe to repeat; what stayed in the log is
             visible to readers there, and the sweep asks again.
    Source : public.acknowledge_wake_ups(), public.take_unit_changes(), public.warm_hierarchy_cache().
    """
    acknowledged = await call.database.acknowledge_wake_ups()
    if isinstance(acknowledged, Err):
        return acknowledged
    drained = await drain(call.database, background.pace)
    if isinstance(drained, Err):
        return drained
    found = drained.value
    if found.more:
        call.after.append(partial(_follow, call.database, background))
    warmed = 0
    if isinstance(call.caller, Webhook):
        call.after.append(partial(_warm_up, call.database, background, found))
    else:
        report = await _warm_up(call.database, background, found)
        if isinstance(report, Err):
            return report
        warmed = report.value.warmed
    return Ok(InvalidationReport(units=found.units, invalidated=found.invalidated, warmed=warmed))


async def _follow(database: Database, background: Background) -> Result[WarmUpReport]:
    followed = await background.follower.run(database, background.pace)
    if isinstance(followed, Err):
        return followed
    return await _warm_up(database, background, followed.value)


async def _warm_up(database: Database, background: Background, drained: Drained) -> Result[WarmUpReport]:
    warm_up = partial(database.warm_hierarchy_cache, seconds=MAX_SECONDS)
    return await background.warm_ups.run(sorted(drained.organization_ids), warm_up)
