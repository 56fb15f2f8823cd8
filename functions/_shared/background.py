"""What goes on behind the answers: it begins once the response is sent."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from _shared import logs
from _shared.result import Err, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable

    Work: TypeAlias = Callable[[], Awaitable[Result[object] | None]]

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


class SingleFlight(Generic[K]):
    """What is under way in this process, by key: each key at most once at a time.

    limit : how many keys at most at once; None for any number.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._keys: set[K] = set()

    def accepts(self, key: K) -> bool:
        """Whether the key is under way, or would be at once."""
        return key in self._keys or self._limit is None or len(self._keys) < self._limit

    async def run(self, key: K, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do the work. At once None if the key is under way already, or if there is no room for it."""
        if key in self._keys or not self.accepts(key):
            return None
        self._keys.add(key)
        try:
            return await work()
        finally:
            self._keys.discard(key)


async def run_all(works: Iterable[Work], function: str, request_id: str) -> None:
    """Do what a request left to do, all at the same time. An Err or exception is logged and goes nowhere."""
    await asyncio.gather(*(_run(work, function, request_id) for work in works))


async def _run(work: Work, function: str, request_id: str) -> None:
    try:
        done = await work()
        if isinstance(done, Err):
            _log_failure(done, function, request_id)
    except Exception as error:  # noqa: BLE001 - the answer is out: the log is all that is left
        logs.log_exception("background_error", error, function=function, request_id=request_id)


def _log_failure(failure: Err, function: str, request_id: str) -> None:
    level = logging.ERROR if failure.code.status >= 500 else logging.INFO
    line: logs.Fields = {"function": function, "request_id": request_id, "outcome": failure.code}
    if failure.cause:
        line["cause"] = failure.cause
    logs.log(level, "background_failed", **line)
