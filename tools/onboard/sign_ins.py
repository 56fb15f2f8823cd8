"""Makes sign-ins: by the Auth server's admin API, or in the local stack, which has no mail, by SQL."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from local.errors import StackError
from tools import bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from tools.onboard.state import StoredPerson

    Advance = Callable[[int], None]
    Connection = psycopg.Connection[tuple[Any, ...]]

PATIENCE_SECONDS = 60.0


class SignIns(Protocol):
    """How sign-ins are made."""

    def make(
        self,
        connection: Connection,
        organization_id: str,
        people: Sequence[tuple[str, StoredPerson | None]],
        advance: Advance,
    ) -> None:
        """Make those of these addresses; whose sign-in there is already, it is told the organisation.

        advance : told how many are done. Raises StackError with what to do; what was made stays.
        """


@dataclass(frozen=True)
class ByOwner:
    """In the local stack: all with one password, as the seed's people have."""

    password: str

    def make(
        self,
        connection: Connection,
        organization_id: str,
        people: Sequence[tuple[str, StoredPerson | None]],
        advance: Advance,
    ) -> None:
        """See SignIns."""
        with connection.transaction():
            self._make(connection, organization_id, people)
        advance(len(people))

    def _make(
        self, connection: Connection, organization_id: str, people: Sequence[tuple[str, StoredPerson | None]]
    ) -> None:
        new = [(str(uuid.uuid4()), email) for email, stored in people if stored is None]
        bulk.insert_sign_ins(connection, new, organization_id, self.password)
        connection.execute(
            "update auth.users set raw_app_meta_data = coalesce(raw_app_meta_data, '{}') "
            "|| jsonb_build_object('org_id', %s::text) where id = any (%s)",
            [organization_id, [stored.id for _, stored in people if stored]],
        )


@dataclass(frozen=True)
class ByAuth:
    """By a project's Auth server: everybody gets an invitation by mail, if `is_mailed`."""

    url: str
    key: str
    is_mailed: bool = True

    def make(
        self,
        _connection: Connection,
        organization_id: str,
        people: Sequence[tuple[str, StoredPerson | None]],
        advance: Advance,
    ) -> None:
        """See SignIns. One at a time: invitations are what a project limits most."""
        headers = {"apikey": self.key, "authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=f"{self.url.rstrip('/')}/auth/v1", headers=headers, timeout=30) as http:
            for done, (email, stored) in enumerate(people):
                try:
                    self._make(http, organization_id, email, stored.id if stored else None)
                except (StackError, httpx.HTTPError) as error:
                    raise StackError(
                        f"{done} of {len(people)} were invited, then the Auth server failed: {error}\n"
                        "run it again to go on from there"
                    ) from error
                advance(done + 1)

    def _make(self, http: httpx.Client, organization_id: str, email: str, id_: uuid.UUID | None) -> None:
        metadata: dict[str, object] = {"app_metadata": {"org_id": organization_id}}
        if id_ is None and not self.is_mailed:
            _ask(http, "POST", "/admin/users", {"email": email, "email_confirm": True, **metadata})
            return
        if id_ is None:
            id_ = uuid.UUID(_ask(http, "POST", "/invite", {"email": email})["id"])
        _ask(http, "PUT", f"/admin/users/{id_}", metadata)


def _ask(http: httpx.Client, method: str, path: str, body: dict[str, object]) -> dict[str, Any]:
    """Ask; where there were too many requests, once more after as long as the answer says."""
    answer = http.request(method, path, json=body)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = float(answer.headers.get("retry-after", PATIENCE_SECONDS))
        if wait <= PATIENCE_SECONDS:
            time.sleep(wait)
            answer = http.request(method, path, json=body)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise StackError(
            "too many requests: raise its limit of mails an hour, or create sign-ins with MAIL=no"
        )
    if not answer.is_success:
        code = answer.json().get("error_code", "") if "json" in answer.headers.get("content-type", "") else ""
        raise StackError(f"HTTP {answer.status_code} {code} to {method} {path.rpartition('/')[0] or path}")
    found: dict[str, Any] = answer.json()
    return found
