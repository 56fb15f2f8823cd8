"""What a use case gives back: a value, or one of a closed set of errors. Exceptions are for bugs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

T_co = TypeVar("T_co", covariant=True)


class ErrorCode(StrEnum):
    """Every way in which a function can refuse or fail; clients may rely on these words."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    FEATURE_DISABLED = "feature_disabled"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_TIMEOUT = "upstream_timeout"

    @property
    def status(self) -> int:
        """The HTTP status that stands for this code."""
        return _STATUS_AND_MESSAGE[self][0]

    @property
    def message(self) -> str:
        """A sentence for people, used where the error does not bring its own."""
        return _STATUS_AND_MESSAGE[self][1]


_STATUS_AND_MESSAGE: dict[ErrorCode, tuple[int, str]] = {
    ErrorCode.BAD_REQUEST: (400, "The request is not what this function accepts."),
    ErrorCode.UNAUTHORIZED: (401, "Valid credentials are needed."),
    ErrorCode.FORBIDDEN: (403, "You may not do this."),
    ErrorCode.NOT_FOUND: (404, "There is nothing here."),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "This method is not allowed here."),
    ErrorCode.CONFLICT: (409, "The request contradicts the present state."),
    ErrorCode.PAYLOAD_TOO_LARGE: (413, "The body is larger than this function reads."),
    ErrorCode.FEATURE_DISABLED: (423, "This feature is switched off for your organisation."),
    ErrorCode.RATE_LIMITED: (429, "Too many requests; try again later."),
    ErrorCode.INTERNAL: (500, "Something went wrong on our side."),
    ErrorCode.UPSTREAM_UNAVAILABLE: (503, "The database cannot be reached; try again shortly."),
    ErrorCode.UPSTREAM_TIMEOUT: (504, "The database did not answer in time; try again shortly."),
}


@dataclass(frozen=True, slots=True)
class Ok(Generic[T_co]):
    """Success, with its value."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Err:
    """Refusal or failure.

    message             : shown to the caller instead of the code's own sentence; never quotes input, SQL or
                          exceptions.
    cause               : a SQLSTATE, a PostgREST code or an exception's type, for the log only.
    retry_after_seconds : after which it is worth trying again, with `rate_limited`.
    """

    code: ErrorCode
    message: str | None = None
    cause: str | None = None
    retry_after_seconds: int | None = None


Result: TypeAlias = Ok[T_co] | Err
