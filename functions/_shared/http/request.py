"""From an HTTP request to a `Call`, the accepted request as handlers see it, or to the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from _shared.callers import User, Webhook
from _shared.inputs import REFUSAL, Input
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from starlette.requests import Request

    from _shared.background import Work
    from _shared.callers import Caller
    from _shared.database import Database
    from _shared.http.webhooks import WebhookPayload
    from _shared.runtime import Runtime

REGION_PARAMETER = "forceFunctionRegion"  # what client libraries add for their option `region`; ours have one
MAX_BODY_BYTES = 64 * 1024  # a webhook of 100 records is about 15 KiB

P = TypeVar("P", bound=Input)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a function accepts.

    methods : all that are answered, OPTIONS aside.
    source  : where its input comes from.
    """

    name: str
    methods: tuple[str, ...]
    callers: frozenset[type[Caller]]
    input: type[Input]
    source: Literal["body", "query"]

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return self.name.replace("_", "-")


@dataclass(slots=True)
class Call(Generic[P]):
    """One accepted request.

    method  : as sent, but HEAD arrives as GET.
    input   : the parsed body or query; for a webhook all defaults, its body being in `webhook`.
    after   : what to do once the answer is sent, all at the same time; an Err or exception is logged and
              changes no answer.
    """

    method: str
    caller: Caller
    input: P
    database: Database
    webhook: WebhookPayload | None = None
    after: list[Work] = field(default_factory=list)

    @property
    def user(self) -> User:
        """The caller, in a function that is for users only; TypeError where it is not."""
        if not isinstance(self.caller, User):
            raise TypeError(f"a {type(self.caller).__name__} called, not a User")
        return self.caller


def is_root(request: Request, spec: Endpoint) -> bool:
    """Whether the address is the function's own, also below the prefix that a load balancer keeps.

    It has no sub-paths.
    """
    path: str = request.scope["path"]
    return path.removeprefix(f"/functions/v1/{spec.slug}") in ("", "/")


async def accept(request: Request, spec: Endpoint, runtime: Runtime) -> Result[Call[Any]]:
    """Check, in this order: address and method, size, credentials, input.

    Credentials come before input: a stranger learns nothing about what a function accepts.
    """
    if not is_root(request, spec):
        return Err(ErrorCode.NOT_FOUND)
    if request.method not in spec.methods:
        return Err(ErrorCode.METHOD_NOT_ALLOWED)
    body = await _read_body(request)
    if isinstance(body, Err):
        return body
    caller = await runtime.authenticator.authenticate(request.headers, body.value, spec.callers)
    if isinstance(caller, Err):
        return caller
    return _parse(request, body.value, spec, caller.value, runtime)


async def _read_body(request: Request) -> Result[bytes]:
    body = bytearray()
    if request.method in {"POST", "PUT"}:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return Err(ErrorCode.PAYLOAD_TOO_LARGE)
    return Ok(bytes(body))


def _parse(
    request: Request, body: bytes, spec: Endpoint, caller: Caller, runtime: Runtime
) -> Result[Call[Any]]:
    """Read the input, or say which declared fields are wrong without quoting what was sent."""
    method = "GET" if request.method == "HEAD" else request.method
    model: type[BaseModel] = spec.input
    try:
        if isinstance(caller, Webhook):
            from _shared.http.webhooks import WebhookPayload  # noqa: PLC0415 - most functions never meet one

            model = WebhookPayload
            payload = WebhookPayload.model_validate_json(body)
            return Ok(Call(method, caller, spec.input(), runtime.database, webhook=payload))
        if spec.source == "query":
            given = {name: value for name, value in request.query_params.items() if name != REGION_PARAMETER}
            if len(request.query_params.multi_items()) > len(request.query_params):
                return Err(ErrorCode.BAD_REQUEST, "A parameter is named more than once.")
            values = spec.input.model_validate_strings(given)
        else:
            values = spec.input.model_validate_json(body or b"{}")
        return Ok(Call(method, caller, values, runtime.database))
    except ValidationError as error:
        problems = error.errors(include_input=False)
        for problem in problems:
            if problem["type"] == REFUSAL:
                return Err(ErrorCode.BAD_REQUEST, problem["msg"])
        wrong = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
        known = ", ".join(sorted(wrong & model.model_fields.keys()))
        if known:
            return Err(ErrorCode.BAD_REQUEST, f"Missing or not valid: {known}.")
        is_unknown = any(problem["type"] == "extra_forbidden" for problem in problems)
        return Err(
            ErrorCode.BAD_REQUEST, "A name is sent that this function does not know." if is_unknown else None
        )
