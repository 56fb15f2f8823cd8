"""What schemathesis loads beside the description: real ids, and signatures for who calls as the database."""

from __future__ import annotations

import base64
import hmac
import json
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import schemathesis
from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest
    from schemathesis import Case, HookContext

REAL = json.loads(os.environ.get("FUZZ_REAL", "{}"))
"""Values that exist, by the name of a parameter: made-up ones get no further than 403 and 404."""


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:  # noqa: ARG001 - as schemathesis calls it
    """Give what exists where something valid is asked for, half of the time."""
    query: dict[str, Any] = case.query or {}
    mode = case.meta.generation.mode.value if case.meta else ""
    for name in REAL.keys() & query.keys():
        if mode == "positive" and hash(str(query[name])) % 2:
            query[name] = REAL[name]
    return case


class Signed(AuthBase):
    """Signs each request as the database does, also what is no text, which standardwebhooks does not sign."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign what is sent."""
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        message_id, now = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signed = hmac.digest(key, f"{message_id}.{now}.".encode() + content, "sha256")
        request.headers.update(
            {
                "webhook-id": message_id,
                "webhook-timestamp": now,
                "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            }
        )
        return request


if SECRET := os.environ.get("FUZZ_WEBHOOK_SECRET", ""):
    schemathesis.auth.set_from_requests(Signed())  # type: ignore[attr-defined]
