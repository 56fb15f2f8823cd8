"""Whether there is a place for a caller: nobody takes all of the process's connections."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from _shared.callers import Caller, User, Webhook
from _shared.result import Err, ErrorCode, Result
from _shared.tally import TALLY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

T = TypeVar("T")

# Of the process's sixteen connections.
AT_ONCE = 4  # of one person
AT_ONCE_OF_AN_ORGANIZATION = 8
WEBHOOKS_AT_ONCE = 12
WEBHOOKS_ADMITTED = 256  # at work or waiting: more than the database sends in one batch
PATIENCE_SECONDS = 2.0
REST_SECONDS = 1.0
BUSY = Err(
    ErrorCode.RATE_LIMITED,
    "Too many requests at once; try again shortly.",
    cause="no place",
    retry_after_seconds=1,
)
FULL = Err(
    ErrorCode.UPSTREAM_UNAVAILABLE,
    "Too many webhooks at once; what they are about is in the database.",
    cause="no place",
)


class Places:
    """A few for each person and organisation, some for all webhooks; the others need none."""

    def __init__(self) -> None:
        # Kept by who waits, works or rests, and gone with the last of them.
        self._of: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        self._of_webhooks = asyncio.Semaphore(WEBHOOKS_AT_ONCE)
        self._admitted = 0

    async def serve(self, caller: Caller, work: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        """Do the work once there is a place for it.

        Errors: rate_limited for a person, upstream_unavailable for a webhook, when there was none in time.
        """
        kind = type(caller).__name__.lower()

        async def counted() -> Result[T]:
            TALLY.at_work[kind] += 1
            try:
                return await work()
            finally:
                TALLY.at_work[kind] -= 1

        match caller:
            case User():
                result = await self._serve_user(caller, counted)
            case Webhook():
                result = await self._serve_webhook(counted)
            case _:
                result = await counted()
        TALLY.refused[kind] += result is BUSY or result is FULL
        return result

    async def _serve_user(self, user: User, work: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        """Serve a person. Their place rests for a moment after a refusal for now.

        Who does not wait when told to is thus made to, at the cost of a timer.
        """
        rest = 0.0
        async with AsyncExitStack() as taken:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    own = self._places(user.id, AT_ONCE)
                    await own.acquire()
                    taken.callback(lambda: asyncio.get_running_loop().call_later(rest, own.release))
                    if user.organization_id:
                        shared = self._places(user.organization_id, AT_ONCE_OF_AN_ORGANIZATION)
                        await taken.enter_async_context(shared)
            except TimeoutError:
                return BUSY
            result = await work()
            if isinstance(result, Err) and result.code is ErrorCode.RATE_LIMITED:
                rest = REST_SECONDS
            return result

    def _places(self, whose: UUID, count: int) -> asyncio.Semaphore:
        return self._of.setdefault(whose, asyncio.Semaphore(count))

    async def _serve_webhook(self, work: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        """Serve a webhook, or refuse it where too many wait already: it is a wake-up, not the fact."""
        if self._admitted >= WEBHOOKS_ADMITTED:
            return FULL
        self._admitted += 1
        try:
            if not await _is_taken(self._of_webhooks):
                return FULL
            try:
                return await work()
            finally:
                self._of_webhooks.release()
        finally:
            self._admitted -= 1


async def _is_taken(places: asyncio.Semaphore) -> bool:
    """Take a place, if one becomes free in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await places.acquire()
    except TimeoutError:
        return False
