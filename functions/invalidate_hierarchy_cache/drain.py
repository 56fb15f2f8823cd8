"""Drains the log of changed units: for a moment before the answer, and behind it while there is more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from _shared.database import Database
    from _shared.rows import DrainReport

DRAIN_SECONDS = 0.25  # before the answer: the database's sender waits for it before it sends anything else
FOLLOW_SECONDS = 2.0  # behind it; under load the next wake-up comes within about a second
PAUSE_SECONDS = 0.05  # a writer between its wake-up and its commit needs a few milliseconds


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
        self._is_running = False
        self._is_asked = False
        self._asked_at = 0.0

    async def run(self, database: Database, pace: Pace) -> Result[Drained]:
        """Drain until there is no more; if nobody asks for `FOLLOW_SECONDS`, have another call sent instead.

        Whoever asks while it runs gets an empty answer, and at least one batch is taken after they asked.
        """
        self._is_asked, self._asked_at = True, pace.clock()
        drained = Drained(more=False)
        if self._is_running:
            return Ok(drained)
        self._is_running = True
        try:
            while self._is_asked or (drained.more and pace.clock() < self._asked_at + FOLLOW_SECONDS):
                await pace.pause(PAUSE_SECONDS)
                self._is_asked = False
                batch = await database.take_unit_changes()
                if isinstance(batch, Err):
                    return batch
                drained.add(batch.value)
        finally:
            self._is_running = False
        if drained.more:
            requested = await database.request_invalidation_again()
            if isinstance(requested, Err):
                return requested
        return Ok(drained)
