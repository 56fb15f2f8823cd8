"""The database as the functions see it, one method per SQL function, and how PostgREST provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import httpx

# supabase-py's PostgREST client by itself: `supabase` would load auth, realtime and storage as well, which no
# function uses and which makes every cold start a third slower.
from postgrest import APIError, AsyncPostgrestClient
from pydantic import BaseModel, ValidationError

from _shared.result import Err, ErrorCode, Ok, Result
from _shared.rows import DatabaseHealth, Profile, RefreshReport

if TYPE_CHECKING:
    from postgrest import AsyncRPCFilterRequestBuilder, AsyncSelectRequestBuilder

    from _shared.callers import User
    from _shared.settings import Settings

R = TypeVar("R", bound=BaseModel)


class Database(Protocol):
    """Every method answers Err with `upstream_unavailable` (safe to retry), `upstream_timeout` or `internal`;
    those that act for a user also with `unauthorized` or `forbidden`.
    """  # noqa: D205

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        """Fold the pending changes into the statistics snapshots."""

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        """Remember a webhook; false when it was seen before."""

    async def get_health(self) -> Result[DatabaseHealth]:
        """Read the age of the last refresh and sweep, and the backlog."""

    async def get_profile(self, user: User) -> Result[Profile | None]:
        """Read the user's own profile with the user's own rights; None when there is none."""


class SupabaseDatabase:
    """`Database` over PostgREST: the secret key for services, the user's own token for users."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._url = f"{str(settings.supabase_url).rstrip('/')}/rest/v1"
        self._publishable_key = settings.publishable_key
        self._http = http
        key = settings.secret_key.get_secret_value()
        self._service = self._client(apikey=key, token=key)

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        return _row(RefreshReport, await _execute(self._service.rpc("refresh_stats_views", {})))

    async def claim_webhook(self, webhook_id: str) -> Result[bool]:
        answer = await _execute(self._service.rpc("claim_webhook", {"p_webhook_id": webhook_id}))
        if isinstance(answer, Err):
            return answer
        return Ok(answer.value) if isinstance(answer.value, bool) else _unexpected("claim")

    async def get_health(self) -> Result[DatabaseHealth]:
        return _row(DatabaseHealth, await _execute(self._service.rpc("get_health", {})))

    async def get_profile(self, user: User) -> Result[Profile | None]:
        client = self._client(
            apikey=self._publishable_key.get_secret_value(), token=user.token.get_secret_value()
        )
        query = client.from_("profiles").select("organization_id", "role", "is_active").eq("id", user.id)
        answer = await _execute(query, for_user=True)
        if isinstance(answer, Err):
            return answer
        if not isinstance(answer.value, list):
            return _unexpected("Profile")
        return _row(Profile, Ok(answer.value[0])) if answer.value else Ok(None)

    def _client(self, *, apikey: str, token: str) -> AsyncPostgrestClient:
        # Costs about 10 µs, because the connections live in the shared `_http`.
        return AsyncPostgrestClient(
            self._url,
            headers={"apikey": apikey, "authorization": f"Bearer {token}"},
            http_client=self._http,
            retry_enabled=False,  # the client's own retries sleep 7 s in all, longer than a caller waits
        )


def make_http_client(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """Give the process's HTTP client. Build it after the server forked: on the first request.

    transport : replaces the network, for tests.
    """
    return httpx.AsyncClient(
        transport=transport,
        http2=False,  # httpx loses requests when a server closes an HTTP/2 connection
        verify=settings.supabase_url.scheme == "https",  # plain http is the local stack: no CA bundle to load
        trust_env=False,  # a proxy variable must not see keys and tokens
        timeout=httpx.Timeout(settings.upstream_timeout_seconds, connect=2, pool=2),
        # Small pools cost httpx less CPU. Idle connections go before a server's usual 5 s closes them.
        limits=httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=2),
        event_hooks={"response": [_raise_for_gateway_status]},
    )


async def _raise_for_gateway_status(response: httpx.Response) -> None:
    # These come from gateways as often as from PostgREST, with bodies in which supabase-py finds no code.
    if response.status_code in (401, 502, 503, 504):
        await response.aread()
        response.raise_for_status()


async def _execute(
    query: AsyncRPCFilterRequestBuilder | AsyncSelectRequestBuilder, *, for_user: bool = False
) -> Result[object]:
    """Run a query; the one place where the client's failures become ours."""
    try:
        return Ok((await query.execute()).data)
    except httpx.HTTPStatusError as error:
        return _from_status(error.response.status_code, for_user=for_user)
    except httpx.ConnectTimeout as error:
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
    except httpx.TimeoutException as error:
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause=type(error).__name__)
    except httpx.TransportError as error:
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
    except APIError as error:
        return _from_code("no code" if error.code is None else error.code, for_user=for_user)


def _from_status(status: int, *, for_user: bool) -> Err:
    cause = f"HTTP {status}"
    if status == 401:
        # A refused secret key is our misconfiguration, not the fault of whoever called us.
        return Err(ErrorCode.UNAUTHORIZED if for_user else ErrorCode.INTERNAL, cause=cause)
    return Err(ErrorCode.UPSTREAM_TIMEOUT if status == 504 else ErrorCode.UPSTREAM_UNAVAILABLE, cause=cause)


def _from_code(code: str, *, for_user: bool) -> Err:
    """Translate a SQLSTATE, or PostgREST's own code."""
    if code == "57014":  # statement timeout
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause=code)
    if code == "":  # PostgREST, when its connection broke under the statement
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="connection lost")
    if code.startswith(("PGRST00", "08", "53", "57P")):  # no connection, no resources, shutting down
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=code)
    if code == "42501" and for_user:
        return Err(ErrorCode.FORBIDDEN, cause=code)
    return Err(ErrorCode.INTERNAL, cause=code)


def _row(model: type[R], answer: Result[object]) -> Result[R]:
    if isinstance(answer, Err):
        return answer
    try:
        return Ok(model.model_validate(answer.value))
    except ValidationError:
        return _unexpected(model.__name__)


def _unexpected(what: str) -> Err:
    return Err(ErrorCode.INTERNAL, cause=f"unexpected {what}")
