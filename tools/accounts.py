"""The sign-ins of a local stack, for what asks as one of its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from local.summary import PASSWORD

if TYPE_CHECKING:
    from local.stack import Stack


def sign_in(stack: Stack, email: str) -> dict[str, str]:
    """Sign in one of the seeded people. Gives the headers of an app that asks as them.

    Raises httpx.HTTPStatusError if the sign-in is refused.
    """
    answer = httpx.post(
        f"{stack.auth_url}/token?grant_type=password",
        json={"email": email, "password": PASSWORD},
        headers={"apikey": stack.publishable_key},
        timeout=30,
        trust_env=False,
    ).raise_for_status()
    return {"apikey": stack.publishable_key, "authorization": f"Bearer {answer.json()['access_token']}"}
