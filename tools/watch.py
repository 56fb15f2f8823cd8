"""`python -m tools.watch EMAIL`: print each invalidation of an organisation's statistics as it comes.

It shows how a client of the broadcasts behaves. A message says only that something changed, and may be missed
while the connection is down; so it reads again after every subscription, and nothing depends on having
heard all.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import signal
import sys
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
from postgrest.exceptions import APIError
from realtime import AsyncRealtimeClient, RealtimeChannelOptions, RealtimeSubscribeStates
from supabase import AsyncClient, AsyncClientOptions, acreate_client
from supabase_auth.errors import (
    AuthApiError,
    AuthRetryableError,
    AuthSessionMissingError,
    AuthUnknownError,
)
from websockets.exceptions import WebSocketException

from local import command
from local.errors import StackError
from local.stack import DEFAULT_STATE_DIR, Stack
from local.summary import PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from realtime.types import BroadcastPayload
    from supabase_auth.types import Session
    from supabase_auth.types import SignInWithEmailAndPasswordCredentials as Credentials

EVENT = "cache_invalidated"
WATCHED = ("postgres", "rest", "gateway")
FIRST_DELAY_SECONDS = 1
LAST_DELAY_SECONDS = 30
CLOSE_SECONDS = 2
PAGE_ROWS = 1000
SHOWN_DATES = 3
PRIVATE: RealtimeChannelOptions = {"config": {"private": True, "broadcast": None, "presence": None}}
# What may be different at the next attempt; anything else is a mistake.
PASSING = (OSError, WebSocketException, httpx.HTTPError, AuthRetryableError, AuthUnknownError, APIError)


def delays() -> Iterator[int]:
    """Give the seconds to wait before each attempt to reconnect: doubling from 1 up to 30."""
    delay = FIRST_DELAY_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, LAST_DELAY_SECONDS)


def describe(payload: Mapping[str, Any]) -> str:
    """Say what an invalidation is about; `payload` is {"unit_ids": [uuid, …], "dates": [ISO date, …]}."""
    units, dates = len(payload.get("unit_ids", ())), sorted(payload.get("dates", ()))
    what = f"{units} {'unit' if units == 1 else 'units'} invalidated"
    if not dates:
        return what
    if len(dates) <= SHOWN_DATES:
        return f"{what}: {', '.join(dates)}"
    return f"{what}: {dates[0]} … {dates[-1]} ({len(dates)} dates)"


def show(line: str) -> None:
    """Print a line with the time of day in UTC."""
    print(f"{datetime.now(UTC):%H:%M:%S}  {line}", flush=True)


class Watcher:
    """One user on their organisation's private channel.

    url, key : API URL and publishable key of the stack.
    client   : without a session yet; keeps it, and renews its access token in time.
    """

    def __init__(self, url: str, key: str, client: AsyncClient, credentials: Credentials) -> None:
        self._url, self._key, self._client, self._credentials = url, key, client, credentials

    async def run(self, tell: Callable[[str], None]) -> None:
        """Listen for ever, reconnecting with a fresh token. Raises AuthApiError when sign-in is refused."""
        waits = delays()
        while True:
            try:
                async with self._subscription(tell) as lost:
                    waits = delays()
                    tell(f"listening; {await self.read()}")
                    reason = await lost
            except PASSING as error:
                reason = _reason(error)
            seconds = next(waits)
            tell(f"disconnected ({reason}); next attempt in {seconds} s")
            await asyncio.sleep(seconds)

    async def read(self) -> str:
        """Read and add up the one relation in which everybody sees something, whatever their role."""
        activities, hours = 0, 0.0
        for start in itertools.count(0, PAGE_ROWS):
            query = self._client.table("peer_mentor_stats").select("activity_count, total_hours")
            query = query.order("peer_mentor_id").order("chapter_id").range(start, start + PAGE_ROWS - 1)
            page = cast("list[dict[str, Any]]", (await query.execute()).data)
            activities += sum(row["activity_count"] for row in page)
            hours += sum(row["total_hours"] for row in page)
            if len(page) < PAGE_ROWS:
                break
        return f"{activities} activities, {hours:.2f} hours"

    async def _new_session(self) -> Session:
        """Renew the session, or start one where there is none or it has ended."""
        auth = self._client.auth
        try:
            response = await auth.refresh_session()
        except (AuthSessionMissingError, AuthApiError):
            response = await auth.sign_in_with_password(self._credentials)
        if response.session is None:
            raise ConnectionError("signed in without a session")
        return response.session

    @asynccontextmanager
    async def _subscription(self, tell: Callable[[str], None]) -> AsyncIterator[asyncio.Future[str]]:
        """Subscribe with a fresh token; the future gives the reason once the subscription is lost.

        Raises ConnectionError if it is refused.
        """
        session = await self._new_session()
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def on_state(state: RealtimeSubscribeStates, error: Exception | None) -> None:
            if state != RealtimeSubscribeStates.SUBSCRIBED and not lost.done():
                lost.set_result(f"{state.value}: {_reason(error)}" if error else state.value)

        def on_invalidation(message: BroadcastPayload) -> None:
            tell(describe(message["payload"]))

        # The library's own reconnecting gives up after five attempts, and tells nobody.
        realtime = AsyncRealtimeClient(f"{self._url}/realtime/v1", token=self._key, auto_reconnect=False)
        self._client.realtime = realtime  # which hands renewed access tokens to the channel
        try:
            await realtime.set_auth(session.access_token)
            topic = f"activities:org:{session.user.app_metadata['org_id']}"
            channel = realtime.channel(topic, PRIVATE)
            channel.on_broadcast(EVENT, on_invalidation)
            await channel.subscribe(on_state)
            if lost.done():
                raise ConnectionError(lost.result())
            yield lost
        finally:
            # Leaving politely takes an answer; a server that gives none is not waited for.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await realtime.remove_all_channels()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def watch(email: str, stack: Stack) -> None:
    """Sign in as a seeded user and print until cancelled. Raises StackError if sign-in is refused."""
    logging.getLogger("realtime").setLevel(logging.CRITICAL)  # its errors are shown below, once
    url, key = stack.api_url, stack.publishable_key
    async with httpx.AsyncClient(timeout=10) as http:
        client = await acreate_client(url, key, AsyncClientOptions(httpx_client=http))
        try:
            await Watcher(url, key, client, {"email": email, "password": PASSWORD}).run(show)
        except AuthApiError as error:
            raise StackError(_reason(error)) from error


def main() -> int:
    """Run the command, which Ctrl-C ends. Returns the exit status: 1 if there is no stack or no such user."""
    parser = argparse.ArgumentParser(prog="python -m tools.watch", description=__doc__)
    parser.add_argument("email", help="a seeded user, such as kari@nhf.example")
    parser.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="of the stack")
    arguments = parser.parse_args()
    # Python leaves SIGINT alone where it is inherited as ignored, as from a shell's background job.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return command.run(lambda: _watch(arguments.email, arguments.state_dir))


def _watch(email: str, state_dir: Path) -> int:
    asyncio.run(watch(email, Stack.running(state_dir, parts=WATCHED)))
    return 1  # it never ends by itself


if __name__ == "__main__":
    sys.exit(main())
