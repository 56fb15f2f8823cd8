"""Signing in, as an app does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from local.stack import Stack

PASSWORD = "password"
"""Of everybody in the seed."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    key: str
    access_token: str
    refresh_token: str
    user_id: str

    @property
    def headers(self) -> dict[str, str]:
        """What the app sends along with each request."""
        return {"apikey": self.key, "authorization": f"Bearer {self.access_token}"}


def try_to_sign_in(stack: Stack, email: str, password: str = PASSWORD) -> httpx.Response:
    """The answer of Auth, whatever it is."""
    return httpx.post(
        f"{stack.auth_url}/token?grant_type=password",
        json={"email": email, "password": password},
        headers={"apikey": stack.publishable_key},
        trust_env=False,
        timeout=30,
    )


def sign_in(stack: Stack, email: str) -> Session:
    answer = try_to_sign_in(stack, email)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return Session(stack.publishable_key, body["access_token"], body["refresh_token"], body["user"]["id"])
