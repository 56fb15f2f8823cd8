"""What the tests of Bufdir's figures share: people who sign in, and calls as an app makes them."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from _shared import exact_json
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from local.stack import Stack

ROLES = {
    "peer mentor": "ola@nhf.example",
    "coordinator": "kari@nhf.example",
    "org admin": "astrid@nhf.example",
    "other organisation": "hanne@hlf.example",
    "anonymous": None,
}


@dataclass
class Person:
    """Somebody with the app: signed in, or (without an address) not."""

    stack: Stack
    http: httpx.Client
    email: str | None

    @cached_property
    def headers(self) -> dict[str, str]:
        """What the app sends along."""
        if self.email is None:
            return {"apikey": self.stack.publishable_key}
        return sign_in(self.stack, self.email).headers

    def call(self, method: str, slug: str, **query: object) -> httpx.Response:
        """Call a function."""
        url = f"{self.stack.functions_url}/{slug}"
        return self.http.request(
            method, url, params={k: str(v) for k, v in query.items()}, headers=self.headers
        )

    def rpc(self, name: str, **parameters: object) -> httpx.Response:
        """Call a SQL function past all functions of ours."""
        body = exact_json.dumps(parameters)
        headers = self.headers | {"content-type": "application/json"}
        return self.http.post(f"{self.stack.rest_url}/rpc/{name}", content=body, headers=headers)

    def rest(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Call PostgREST past all functions of ours."""
        content = None if body is None else exact_json.dumps(body)
        sent = self.headers | {"content-type": "application/json"} | headers
        return self.http.request(method, f"{self.stack.rest_url}/{path}", content=content, headers=sent)


@dataclass(frozen=True)
class Days:
    """A period of a test's own, in the years that the seed has."""

    start: dt.date
    end: dt.date

    @property
    def query(self) -> dict[str, object]:
        """As functions take it."""
        return {"period_start": self.start, "period_end": self.end}

    @property
    def parameters(self) -> dict[str, object]:
        """As SQL functions take it."""
        return {"p_period_start": self.start, "p_period_end": self.end}

    @property
    def filters(self) -> str:
        """As PostgREST takes it."""
        return f"period_start=eq.{self.start}&period_end=eq.{self.end}"


def year(number: int) -> Days:
    return Days(dt.date(number, 1, 1), dt.date(number + 1, 1, 1))


# The last whole year: the seed, which ends today, has activities in all of it.
YEAR = dt.datetime.now(dt.UTC).year - 1
DAYS = year(YEAR)


def data(response: httpx.Response) -> Any:
    """The answer of a function that succeeded."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    body = exact_json.loads(response.content)
    assert isinstance(body, dict)
    assert list(body) == ["data"]
    return body["data"]


def refusal(response: httpx.Response) -> tuple[int, str | None]:
    """Status, and the code of whoever refused: a function, or PostgREST."""
    if response.status_code < 300:
        return response.status_code, None
    body = response.json()
    return response.status_code, body["error"]["code"] if "error" in body else body["code"]


def organization(stack: Stack, slug: str) -> UUID:
    with psycopg.connect(stack.db_url) as connection:
        row = connection.execute("select id from public.organizations where slug = %s", (slug,)).fetchone()
    assert row is not None
    found = row[0]
    assert isinstance(found, UUID)
    return found


def forget(stack: Stack, days: Days) -> None:
    """Remove every organisation's snapshot of a period."""
    with psycopg.connect(stack.db_url) as connection:
        connection.execute(
            "delete from public.bufdir_metric_snapshots where period_start = %s and period_end = %s",
            (days.start, days.end),
        )


@contextmanager
def owner(stack: Stack) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A transaction of the tables' owner that is undone at the end."""
    with psycopg.connect(stack.db_url) as connection:
        try:
            yield connection
        finally:
            connection.rollback()
