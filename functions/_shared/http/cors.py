"""CORS: what browsers ask before a call, and what lets them read the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Collection

CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": "retry-after, x-request-id"}
CORS_REQUEST_HEADERS = "authorization, apikey, content-type, x-client-info, x-request-id"
HEADER_NAMES = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*", flags=re.ASCII)


def preflight(methods: Collection[str], request_id: str, requested: str) -> Response:
    """Answer an OPTIONS request: what browsers ask before a call, and what is allowed at all.

    requested : the headers that the browser asks for. They are allowed, because each version of a client
                library may send new ones, and no function reads a header that it does not know.
    """
    allowed = ", ".join([*methods, "OPTIONS"])
    return Response(
        status_code=204,
        headers=CORS
        | {
            "allow": allowed,
            "access-control-allow-methods": allowed,
            "access-control-allow-headers": (
                requested if HEADER_NAMES.fullmatch(requested) else CORS_REQUEST_HEADERS
            ),
            "access-control-max-age": "86400",
            "vary": "access-control-request-headers",
            "x-request-id": request_id,
        },
    )
