"""Warm-ups: computing summaries before somebody asks, and leaving the database to those who do ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from _shared.background import SingleFlight
from _shared.database.hierarchy import WarmUpReport
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from uuid import UUID

    WarmUp: TypeAlias = Callable[[UUID], Awaitable[Result[WarmUpReport]]]

MAX_SECONDS = 3.0  # an organisation's turn, given to warm_hierarchy_cache()


class WarmUps:
    """The warm-ups of this process: one at a time, and at most one waiting for each organisation.

    What is asked for while an organisation's turn has begun waits for another, because the changes it is
    about may have come too late for this one. What is asked for while one waits is done by that one.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting: SingleFlight[UUID] = SingleFlight()

    async def run(self, organization_ids: Iterable[UUID], warm_up: WarmUp) -> Result[WarmUpReport]:
        """Warm up each organisation in turn and add up; a failure does not keep the others from theirs.

        Errors: the first that `warm_up` gave.
        """
        failure: Err | None = None
        total = WarmUpReport(warmed=0, skipped=0)
        for organization_id in organization_ids:
            done = await self._take_turn(organization_id, warm_up)
            if isinstance(done, Err):
                failure = failure or done
            elif done is not None:
                total = total + done.value
        return failure or Ok(total)

    async def _take_turn(self, organization_id: UUID, warm_up: WarmUp) -> Result[WarmUpReport] | None:
        if await self._waiting.run(organization_id, self._turn.acquire) is None:
            return None
        try:
            return await warm_up(organization_id)
        finally:
            self._turn.release()
