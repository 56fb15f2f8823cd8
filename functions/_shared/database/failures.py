"""What a failure of PostgREST, or of a gateway before it, means to whoever asked."""

from __future__ import annotations

from dataclasses import replace

from _shared.result import Err, ErrorCode

_FOR_ALL = {
    "57014": ErrorCode.UPSTREAM_TIMEOUT,  # statement timeout
    # the loser of a serialization failure or deadlock
    "40001": ErrorCode.UPSTREAM_UNAVAILABLE,
    "40P01": ErrorCode.UPSTREAM_UNAVAILABLE,
    "PT423": ErrorCode.FEATURE_DISABLED,  # the organisation's kill switch
}
_FOR_USERS = _FOR_ALL | {
    "42501": ErrorCode.FORBIDDEN,
    "22023": ErrorCode.BAD_REQUEST,
    "PT404": ErrorCode.NOT_FOUND,
    "PT409": ErrorCode.CONFLICT,
}
# Refusals of ours that need a sentence of their own; the codes are those of app.refuse.
_REFUSALS = {
    "superseded": Err(ErrorCode.CONFLICT, "There is a later version of this report."),
    "falsified": Err(ErrorCode.CONFLICT, "This version is not as it was written; do not use it."),
    "figures_changed": Err(
        ErrorCode.CONFLICT, "The activities have changed since this version was prepared."
    ),
    "not_approved": Err(ErrorCode.CONFLICT, "This version is not approved yet."),
    "already_approved": Err(ErrorCode.CONFLICT, "This version is approved already."),
    "already_sent": Err(ErrorCode.CONFLICT, "This version is sent already."),
    "another_person": Err(ErrorCode.FORBIDDEN, "Somebody else approves what one has prepared."),
}


def from_status(status: int, *, for_user: bool) -> Err:
    """Translate the status of an answer that says nothing else we can rely on."""
    cause = f"HTTP {status}"
    if status == 401:
        # A refused secret key is our misconfiguration, not the fault of whoever called us.
        return Err(ErrorCode.UNAUTHORIZED if for_user else ErrorCode.INTERNAL, cause=cause)
    return Err(ErrorCode.UPSTREAM_TIMEOUT if status == 504 else ErrorCode.UPSTREAM_UNAVAILABLE, cause=cause)


def from_code(code: str, *, for_user: bool, retry_after: str | None = None) -> Err:
    """Translate a SQLSTATE, PostgREST's own code, or the one of a refusal of ours.

    retry_after : the header of that name, which a refusal for now brings along.
    """
    if code == "rate_limited":
        seconds = int(retry_after) if retry_after and retry_after.isdecimal() else 1
        return Err(ErrorCode.RATE_LIMITED, cause=code, retry_after_seconds=seconds)
    if code in _REFUSALS:
        return replace(_REFUSALS[code], cause=code)
    if code == "":  # PostgREST, when its connection broke under the statement
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="connection lost")
    if code.startswith(("PGRST00", "08", "53", "57P")):  # no connection, no resources, shutting down
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=code)
    known = _FOR_USERS if for_user else _FOR_ALL
    return Err(known.get(code, ErrorCode.INTERNAL), cause=code)
