"""What a function accepts, and one accepted request: the words in which handlers speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from _shared.callers import User

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from _shared.callers import Caller
    from _shared.database import Database
    from _shared.result import Result
    from _shared.webhooks import WebhookPayload

    Work: TypeAlias = Callable[[], Awaitable[Result[object] | None]]


class Input(BaseModel):
    """Base of all inputs, and itself the empty one: typed strictly, nothing but the declared fields.

    A model with required fields shows one valid input in `json_schema_extra={"examples": [...]}`.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


REFUSAL = "refusal"
"""Type of the PydanticCustomError in which an input's validator speaks to the caller: a fixed sentence."""

P = TypeVar("P", bound=Input)


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


ENDPOINTS: dict[str, Endpoint] = {}
"""Every function by name, for what has to cover them all: tests and documentation."""
