"""How many calls of one person a process serves at the same time: nobody takes all of its connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from _shared.callers import User
from _shared.result import Err, ErrorCode, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from _shared.callers import Caller

T = TypeVar("T")

AT_ONCE = 4  # of the process's sixteen connections
PATIENCE_SECONDS = 2.0
REST_SECONDS = 1.0
BUSY = Err(
    ErrorCode.RATE_LIMITED,
    "Too many requests at once; try again shortly.",
    cause="no place",
    retry_after_seconds=1,
)


class Places:
    """A few places for each person. Webhooks and services need none."""

    def __init__(self) -> None:
        # Kept by who waits, works or rests, and gone with the last of them.
        self._of: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    async def serve(self, caller: Caller, work: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        """Do the work once there is a place for it; the place of a refusal for now rests for a moment.

        Who does not wait when told to is thus made to, at the cost of a timer.
        Errors: rate_limited, when there was no place in time.
        """
        if not isinstance(caller, User):
            return await work()
        places = self._of.setdefault(caller.id, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await places.acquire()
        except TimeoutError:
            return BUSY
        rest = 0.0
        try:
            result = await work()
            if isinstance(result, Err) and result.code is ErrorCode.RATE_LIMITED:
                rest = REST_SECONDS
            return result
        finally:
            asyncio.get_running_loop().call_later(rest, places.release)
