"""What a failure of PostgREST, or of a gateway before it, means to whoever asked."""

from __future__ import annotations

from _shared.result import Err, ErrorCode

_FOR_USERS = {"42501": ErrorCode.FORBIDDEN, "22023": ErrorCode.BAD_REQUEST}


def from_status(status: int, *, for_user: bool) -> Err:
    """Translate the status of an answer that says nothing else we can rely on."""
    cause = f"HTTP {status}"
    if status == 401:
        # A refused secret key is our misconfiguration, not the fault of whoever called us.
        return Err(ErrorCode.UNAUTHORIZED if for_user else ErrorCode.INTERNAL, cause=cause)
    return Err(ErrorCode.UPSTREAM_TIMEOUT if status == 504 else ErrorCode.UPSTREAM_UNAVAILABLE, cause=cause)


def from_code(code: str, *, for_user: bool) -> Err:
    """Translate a SQLSTATE, or PostgREST's own code."""
    if code == "57014":  # statement timeout
        return Err(ErrorCode.UPSTREAM_TIMEOUT, cause=code)
    if code == "":  # PostgREST, when its connection broke under the statement
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="connection lost")
    # No connection, no resources, shutting down; or the loser of a serialization failure or deadlock.
    if code.startswith(("PGRST00", "08", "53", "57P")) or code in {"40001", "40P01"}:
        return Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause=code)
    if code == "PT423":  # the organisation's kill switch
        return Err(ErrorCode.FEATURE_DISABLED, cause=code)
    if for_user and code in _FOR_USERS:
        return Err(_FOR_USERS[code], cause=code)
    return Err(ErrorCode.INTERNAL, cause=code)
