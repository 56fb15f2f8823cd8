"""The public keys that user tokens may be signed with, fetched from a JWKS address and kept for a while."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import jwt

from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHMS = ("ES256", "RS256")
MAX_AGE_SECONDS = 600
MIN_REFETCH_SECONDS = 30  # tokens with made-up key ids must not make us hammer the auth server


class KeySet:
    """Keys by id. A key that is not known yet (rotation) causes one new fetch, shared by all who wait."""

    def __init__(
        self, url: str, http: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at: float | None = None
        self._fetched_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> Result[jwt.PyJWK | None]:
        """Give the key, or None where the auth server has no such key.

        Errors: upstream_unavailable, when the keys cannot be fetched and this one is not at hand.
        """
        async with self._lock:
            failure = await self._fetch() if self._should_fetch(key_id) else None
        key = self._keys.get(key_id)
        # With the auth server away, a key that was good stays good.
        return failure if failure and key is None else Ok(key)

    def _should_fetch(self, key_id: str) -> bool:
        if self._tried_at is not None and self._clock() - self._tried_at < MIN_REFETCH_SECONDS:
            return self._fetched_at is None
        too_old = self._fetched_at is None or self._clock() - self._fetched_at > MAX_AGE_SECONDS
        return too_old or key_id not in self._keys

    async def _fetch(self) -> Err | None:
        self._tried_at = self._clock()
        try:
            response = await self._http.get(self._url)
            response.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(response.json()).keys
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, AttributeError) as error:
            # AttributeError: JSON, but not an object.
            return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=f"keys: {type(error).__name__}")
        self._fetched_at = self._tried_at
        self._keys = {key.key_id: key for key in keys if key.key_id and key.algorithm_name in ALGORITHMS}
        return None
