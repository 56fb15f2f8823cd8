"""PostgREST as this code uses it: with which keys, within which bounds, and how its answers are read."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, cast
from uuid import UUID

import httpx

# supabase-py's PostgREST client by itself: `supabase` would load auth, realtime and storage as well, which no
# function uses and which makes every cold start a third slower.
from postgrest import APIError, AsyncPostgrestClient
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from _shared import exact_json
from _shared.database.failures import from_code, from_status
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from _shared.callers import User
    from _shared.settings import Settings

ISSUED_IN_THE_FUTURE = b"issued at future"  # PostgREST's words, in all of its versions
MOMENT_SECONDS = 1.0

R = TypeVar("R", bound=BaseModel)
V = TypeVar("V", bool, int)


class Query(Protocol):
    """Whatever supabase-py's builders build: what is to be sent, and where."""

    request: Any


class Client:
    """The secret key for services, the user's own token for users; one pool of connections for all."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._url = f"{str(settings.supabase_url).rstrip('/')}/rest/v1"
        self._publishable_key = settings.publishable_key
        self._http = http
        key = settings.secret_key.get_secret_value()
        self._service = self._client(apikey=key, token=key)

    async def _call(self, function: str, user: User | None = None, **parameters: object) -> Result[object]:
        """Call a SQL function: as the service, or with the user's own rights."""
        client = self._as(user) if user else self._service
        # The client's type is too narrow: it sends any JSON.
        return await execute(
            client.rpc(function, cast("dict[str, str]", parameters)), for_user=user is not None
        )

    def _as(self, user: User) -> AsyncPostgrestClient:
        """Give a client with the user's own rights."""
        return self._client(
            apikey=self._publishable_key.get_secret_value(), token=user.token.get_secret_value()
        )

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


async def execute(query: Query, *, for_user: bool = False) -> Result[object]:
    """Run a query; the one place where the client's failures become ours. Numbers arrive as they are."""
    try:
        return Ok(await _send_once_valid(query.request))
    except httpx.HTTPStatusError as error:
        return from_status(error.response.status_code, for_user=for_user)
    except httpx.ConnectTimeout as error:
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
    except httpx.TimeoutException as error:
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause=type(error).__name__)
    except httpx.TransportError as error:
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
    except APIError as error:
        code = "no code" if error.code is None else error.code
        return from_code(code, for_user=for_user, retry_after=error.details)


async def _send_once_valid(request: Any) -> object:
    """Send, and once more after a moment where PostgREST's clock is behind that of who issued the token."""
    try:
        return await _send(request)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != 401 or ISSUED_IN_THE_FUTURE not in error.response.content:
            raise
    await asyncio.sleep(MOMENT_SECONDS)
    return await _send(request)


async def _send(request: Any) -> object:
    """Do what the builders' own `execute` does, but exactly: it reads floats, and cannot write a Decimal."""
    response = await request.session.request(
        request.http_method,
        str(request.path),
        params=request.params,
        headers={**request.headers, "content-type": "application/json"},
        content=None if request.json is None else exact_json.dumps(request.json),
    )
    try:
        data = exact_json.loads(response.content)
    except ValueError:
        data = ...  # nobody expects that
    if response.is_success:
        return data
    code = data.get("code") if isinstance(data, dict) else None
    code = code if isinstance(code, str) else None
    raise APIError({"code": code, "details": response.headers.get("retry-after")})


UNEXPECTED = "unexpected"


def unexpected(what: str) -> Err:
    """Say that the database answered something else than a `what`."""
    return Err(ErrorCode.INTERNAL, cause=f"{UNEXPECTED} {what}")


def is_unexpected(result: Result[object]) -> bool:
    """Whether the database answered, but with something that cannot be read."""
    return isinstance(result, Err) and (result.cause or "").startswith(f"{UNEXPECTED} ")


def row(model: type[R], answer: Result[object]) -> Result[R]:
    """Read an object as `model`; `internal` where it is something else."""
    if isinstance(answer, Err):
        return answer
    try:
        return Ok(model.model_validate(answer.value))
    except ValidationError:
        return unexpected(model.__name__)


def scalar(kind: type[V], answer: Result[object], what: str) -> Result[V]:
    """Read exactly a `kind`; `internal` where it is something else."""
    if isinstance(answer, Err):
        return answer
    return Ok(answer.value) if type(answer.value) is kind else unexpected(what)


class Row(BaseModel):
    """Base of answers of which a part is read: keys added by later migrations are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class StrictRow(BaseModel):
    """Base of answers that are read strictly: a field that is not listed is refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


def _text(value: object) -> object:
    # pydantic's own reading of ids and days from text would take numbers as well
    if isinstance(value, str | UUID | dt.date):
        return value
    raise ValueError("not a text")


def _decimal(value: object) -> object:
    return Decimal(value) if type(value) is int else value


Number = Annotated[Decimal, BeforeValidator(_decimal)]  # JSON writes a whole one without a point

# The fields of strict rows. Whole numbers are int, others Decimal, and neither stands for the other.
Id = Annotated[UUID, BeforeValidator(_text), Field(strict=False)]
Day = Annotated[dt.date, BeforeValidator(_text), Field(strict=False)]
Moment = Annotated[AwareDatetime, BeforeValidator(_text), Field(strict=False)]
Count = Annotated[int, Field(ge=0)]
Hours = Annotated[Decimal, Field(ge=0, decimal_places=2)]
