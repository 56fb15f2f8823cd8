"""local/README.md says what the embedded stack answers where it differs from the platform: asked here."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from local.requirements import ROOT
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack

README = (ROOT / "local" / "README.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?P<request>[^|`]*?(?:`[^`]+`)?[^|]*?) \| (?P<status>\d{3}),?(?: `(?P<code>\w+)`)?[^|]* \|"
)
HERE = {
    row["request"]: (int(row["status"]), row["code"]) for row in map(ROW.match, README.splitlines()) if row
}


class Api:
    """PostgREST behind the gateway, as a coordinator calls it."""

    def __init__(self, stack: Stack, http: httpx.Client) -> None:
        self.stack, self.http = stack, http
        self.key = {"apikey": stack.publishable_key}
        self.token = sign_in(stack, "kari@nhf.example").access_token

    def get(self, path: str, **headers: str) -> httpx.Response:
        sent = self.key | {"authorization": f"Bearer {self.token}"} | headers
        return self.http.get(f"{self.stack.rest_url}/{path}", headers=sent)

    def with_token(self, header: dict[str, Any] | None = None, **claims: object) -> httpx.Response:
        """Read with a token that says something else than the real one."""
        own = jwt.decode(self.token, options={"verify_signature": False})
        forged = jwt.encode(own | claims, self.stack.jwt_secret, algorithm="HS256", headers=header)
        return self.get("chapters", authorization=f"Bearer {forged}")


def prefer(value: str) -> Callable[[Api], httpx.Response]:
    return lambda api: api.get("chapters", prefer=value)


def get(path: str, **headers: str) -> Callable[[Api], httpx.Response]:
    return lambda api: api.get(path, **headers)


REQUESTS: dict[str, Callable[[Api], httpx.Response]] = {
    "unknown table": get("no_table"),
    "unknown path": get("chapters/none"),
    "expired token": lambda api: api.with_token(exp=int(time.time()) - 60),
    "token issued in the future": lambda api: api.with_token(iat=int(time.time()) + 600),
    "token with an unknown `kid`": lambda api: api.with_token({"kid": "unknown"}),
    "token of an unknown role": lambda api: api.with_token(role="nobody"),
    "media type that is not served": get("chapters", accept="image/png"),
    "filter that cannot be parsed": get("chapters?id=is.1"),
    "`is.not_null`": get("chapters?id=is.not_null"),
    "spread of a to-many embed": get("organization_units?select=id,...activities(id)"),
    "aggregate": get("activities?select=count()"),
    "aggregate inside a spread": get("activities?select=id,...organization_units(name.count())"),
    "`max-affected`, strict": prefer("handling=strict, max-affected=1"),
    "`max-affected`, lenient": prefer("max-affected=1"),
    "unknown time zone, strict": prefer("handling=strict, timezone=No/Where"),
    "unknown time zone, lenient": prefer("timezone=No/Where"),
    "unknown preference, strict": prefer("handling=strict, unknown"),
}


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[Api]:
    with httpx.Client(trust_env=False) as http:
        yield Api(stack, http)


def test_every_row_is_asked_for() -> None:
    assert set(HERE) == set(REQUESTS)


@pytest.mark.parametrize("request_", sorted(REQUESTS))
def test_postgrest_answers_as_the_table_says(api: Api, request_: str) -> None:
    answer = REQUESTS[request_](api)
    body = answer.json()
    code = body.get("code") if isinstance(body, dict) else None
    assert (answer.status_code, code) == HERE[request_]


def test_postgrest_is_the_version_that_the_page_names(api: Api) -> None:
    version = api.get("", accept="application/openapi+json").json()["info"]["version"]
    assert f"PostgREST | real, {version}," in README


def names_after(beginning: str) -> list[str]:
    """Give the names in the paragraph that begins so."""
    (paragraph,) = (part for part in README.split("\n\n") if part.startswith(beginning))
    return [name for name in re.findall(r"`([^`]+)`", paragraph) if re.fullmatch(r"[a-z_./-]+", name)]


def test_auth_serves_what_the_page_says_and_nothing_of_the_rest(api: Api) -> None:
    served, absent = names_after("Served: "), names_after("404, because ")
    assert len(served) == 9
    assert len(absent) == 11

    def is_absent(path: str) -> bool:
        url = f"{api.stack.auth_url}/{path}"
        return all(
            api.http.request(method, url, headers=api.key).status_code == 404 for method in ("GET", "POST")
        )

    assert [path for path in served if is_absent(path)] == []
    assert [path for path in absent if not is_absent(path)] == []
