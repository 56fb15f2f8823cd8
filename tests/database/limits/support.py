"""What the tests of limits share: somebody of an organisation of their own, who calls PostgREST itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from tests.support.credentials import make_token

if TYPE_CHECKING:
    from uuid import UUID

    from local.stack import Stack

# Loading those of the system would take longer than a call.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

REFUSED_TX = {
    "code": "bad_request",
    "message": "Prefer: tx is not accepted, because what was done is done.",
    "details": None,
    "hint": None,
}
REFUSED_COUNT = {
    "code": "bad_request",
    "message": "Of the counts, Prefer: count=exact is accepted.",
    "details": None,
    "hint": None,
}
TOO_MANY = {
    "code": "rate_limited",
    "message": "Too many requests; try again later.",
    "details": None,
    "hint": None,
}
TOO_MANY_AT_ONCE = TOO_MANY | {"message": "Too many requests at once; try again shortly."}
COMPUTING = TOO_MANY | {"message": "Your organisation is computing; try again shortly."}


@dataclass(frozen=True)
class Caller:
    """Whoever calls PostgREST past the gateway, as behind any gateway.

    token : None for an anonymous caller.
    """

    stack: Stack
    token: str | None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *more: tuple[str, str],
        origin: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Call PostgREST, or what is at another `origin`; underscores in header names are dashes.

        more : further headers, also of a name that is there already.
        """
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.token:
            sent.append(("authorization", f"Bearer {self.token}"))
        url = f"{origin or self.rest_url}/{path}"
        with httpx.Client(timeout=30, trust_env=False, verify=NO_CERTIFICATES) as http:
            return http.request(method, url, json=body, headers=[*sent, *more])

    @property
    def rest_url(self) -> str:
        """PostgREST's own address."""
        return f"http://127.0.0.1:{self.stack.instance.ports.rest}"


def token(stack: Stack, person: UUID, organization: UUID | None, role: str = "authenticated") -> str:
    """Give a token as the auth server signs it."""
    metadata = {"org_id": str(organization)} if organization else {}
    return make_token(stack.jwt_secret, sub=str(person), role=role, app_metadata=metadata)
