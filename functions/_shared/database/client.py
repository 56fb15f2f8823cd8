"""PostgREST as this code uses it: with which keys, and how its answers are read."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pyreqwest.exceptions import ConnectTimeoutError, RequestError

from _shared import exact_json, trace
from _shared.database.failures import from_code, from_status
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from pydantic import SecretStr

    from _shared.callers import User
    from _shared.network import Answer, Network
    from _shared.settings import Settings

R = TypeVar("R", bound=BaseModel)
V = TypeVar("V", bool, int)

SAY_NOTHING_ELSE = frozenset({401, 502, 503, 504})
"""Statuses of gateways as often as of PostgREST, with bodies in which there is no code to rely on."""
UNAUTHORIZED = 401
ISSUED_IN_THE_FUTURE = b"issued at future"
"""What all versions of PostgREST say of a token where their clock is behind that of who issued it."""
MOMENT_SECONDS = 1.0


class Client:
    """The secret key for services, the user's own token for users; one pool of connections for all."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self._url = f"{str(settings.supabase_url).rstrip('/')}/rest/v1"
        self._publishable_key = settings.publishable_key
        self._network = network
        self._service_headers = _headers(settings.secret_key, settings.secret_key)

    async def _call(self, function: str, user: User | None = None, **parameters: object) -> Result[object]:
        """Call a SQL function: as the service, or with the user's own rights."""
        return await self._send("POST", f"rpc/{function}", user, content=exact_json.dumps(parameters))

    async def _select(self, table: str, **query: str) -> Result[object]:
        """Read rows of a table, as the service."""
        return await self._send("GET", f"{table}?{urlencode(query)}")

    async def _delete(self, table: str, user: User, **query: str) -> Result[object]:
        """Delete what the query names of a table, with the user's own rights. Gives the rows that went."""
        return await self._send("DELETE", f"{table}?{urlencode(query)}", user, prefer="return=representation")

    async def _send(
        self,
        method: str,
        path: str,
        user: User | None = None,
        *,
        content: bytes | None = None,
        prefer: str | None = None,
    ) -> Result[object]:
        """Ask; the one place where the network's failures become ours. Numbers arrive as they are."""
        headers = _headers(self._publishable_key, user.token) if user else self._service_headers
        headers = headers | trace.headers()
        if prefer:
            headers = headers | {"prefer": prefer}
        ask = partial(self._network.send, method, f"{self._url}/{path}", headers, content)
        try:
            answer = await ask()
            if answer.status == UNAUTHORIZED and ISSUED_IN_THE_FUTURE in answer.content:
                await asyncio.sleep(MOMENT_SECONDS)
                answer = await ask()
        except ConnectTimeoutError as error:
            return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
        except TimeoutError as error:
            return Err(ErrorCode.UPSTREAM_TIMEOUT, cause=type(error).__name__)
        except RequestError as error:
            return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=type(error).__name__)
        return _read(answer, for_user=user is not None)


def _headers(apikey: SecretStr, token: SecretStr) -> dict[str, str]:
    return {
        "apikey": apikey.get_secret_value(),
        "authorization": f"Bearer {token.get_secret_value()}",
        "accept": "application/json",
        "content-type": "application/json",
    }


def _read(answer: Answer, *, for_user: bool) -> Result[object]:
    if answer.status in SAY_NOTHING_ELSE:
        return from_status(answer.status, for_user=for_user)
    try:
        data = exact_json.loads(answer.content)
    except ValueError:
        data = ...  # nobody expects that
    if 200 <= answer.status < 300:
        return Ok(data)
    code = data.get("code") if isinstance(data, dict) else None
    code = code if isinstance(code, str) else "no code"
    return from_code(code, for_user=for_user, retry_after=answer.retry_after)


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
    """Base of answers of which a part is read: keys added by later migrations are ignored.

    Models are built on first use: a process loads all of them, and uses those of one function.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class StrictRow(BaseModel):
    """Base of answers that are read strictly: a field that is not listed is refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


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
