"""The public keys that user tokens may be signed with, fetched from a JWKS address and kept for a while."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import jwt
from pyreqwest.exceptions import PyreqwestError

from _shared.http.tokens import PUBLIC_KEY_ALGORITHMS, Token, TokenError
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from _shared.network import Network

MAX_AGE_SECONDS = 600
MIN_REFETCH_SECONDS = 30  # tokens with made-up key ids must not make us hammer the auth server
FIRST_RETRY_SECONDS = 1  # after a failure; each further one doubles it, up to the above
FETCH_SECONDS = 3
MAX_BYTES = 64 * 1024  # a key has a few hundred

# What a server that is away or strange leads to; the last five come from JSON that is no key set.
_NO_KEY_SET = (
    PyreqwestError,
    jwt.PyJWTError,
    TimeoutError,
    ValueError,
    AttributeError,
    TypeError,
    KeyError,
    RecursionError,
)


class KeySet:
    """Keys by id. One fetch at a time, shared by all who wait for it.

    A key that is known and not too old is given at once, whatever else is asked for. One that is not known
    (rotation, or made up) causes a fetch, but not oftener than every `MIN_REFETCH_SECONDS`. While fetches
    fail, they are tried after growing pauses, and whoever asks in between is answered at once.
    """

    def __init__(
        self,
        url: str,
        network: Network,
        clock: Callable[[], float] = time.monotonic,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._url = url
        self._network = network
        self._clock = clock
        self._fetch_seconds = fetch_seconds
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._next_fetch_at = clock()
        self._pause: float = FIRST_RETRY_SECONDS
        self._failure: Err | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def verify(self, token: Token, algorithm: str, key_id: str) -> Err | None:
        """Check a signature of that algorithm, made with that key.

        Raises TokenError where it was not. Errors: upstream_unavailable, as `find`.
        """
        found = await self.find(key_id)
        if isinstance(found, Err):
            return found
        key = found.value
        if key is None or key.algorithm_name != algorithm:
            raise TokenError("no key for this token")
        if not key.Algorithm.verify(token.signed, key.key, token.signature):
            raise TokenError("signature")
        return None

    async def find(self, key_id: str) -> Result[jwt.PyJWK | None]:
        """Give the key, or None where the auth server has no such key.

        Errors: upstream_unavailable, when the keys cannot be fetched and this one is not at hand.
        """
        if key_id not in self._keys or self._is_old():
            await self._fetch_if_due(wait=key_id not in self._keys or self._failure is None)
        key = self._keys.get(key_id)
        # With the auth server away, a key that was good stays good.
        return self._failure if self._failure and key is None else Ok(key)

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > MAX_AGE_SECONDS

    async def _fetch_if_due(self, *, wait: bool) -> None:
        """Fetch, or join the fetch that is under way. A waiter that gives up cancels it for nobody else."""
        if self._fetching is None:
            if self._clock() < self._next_fetch_at:
                return
            self._fetching = asyncio.create_task(self._fetch())
        if wait:
            await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._fetch_seconds):
                keys = jwt.PyJWKSet.from_dict(json.loads(await self._download())).keys
        except _NO_KEY_SET as error:
            self._failure = Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=f"keys: {type(error).__name__}")
            self._next_fetch_at = self._clock() + self._pause
            self._pause = min(self._pause * 2, MIN_REFETCH_SECONDS)
        else:
            self._keys = {
                key.key_id: key for key in keys if key.key_id and key.algorithm_name in PUBLIC_KEY_ALGORITHMS
            }
            self._failure, self._pause = None, FIRST_RETRY_SECONDS
            self._fetched_at = self._clock()
            self._next_fetch_at = self._fetched_at + MIN_REFETCH_SECONDS
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        answer = await self._network.send("GET", self._url, max_bytes=MAX_BYTES)
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        return answer.content
