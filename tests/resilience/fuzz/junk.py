"""Asks PostgREST for what makes no sense, in each part of a request, as each kind of caller.

What comes back is an answer that docs/reference/data-layer.md lists, never a 5xx; a refusal is JSON with
a message. Writes are junk, too: a stack that this was done to is thrown away.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import httpx
import psycopg

from local.requirements import ROOT
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack import Stack

PAGE = ROOT / "docs" / "reference" / "data-layer.md"
PEOPLE = ("astrid@nhf.example", "kari@nhf.example", "ola@nhf.example")
METHODS = (*["GET"] * 6, *["POST"] * 6, *["PATCH"] * 3, *["DELETE"] * 2, "HEAD", "PUT", "OPTIONS", "TRACE")
TEXTS = (
    "", "0", "-1", "null", "true", "NaN",
    "Infinity", "1e400", "9" * 40, "2026-02-30", "2026-01-01", "infinity",
    "0000-00-00", "00000000-0000-0000-0000-000000000000", "ø", "日本",
    "\u202e", "\U0001f9ea", "a\x00b", "\x7f",
    "'; drop table activities; --", "../..", "%", "%25", "*", ".", ",",
    "(", ")", "()", "{", "}", "{}", "[]", '"',
    "\\", "::int", "->>", "a->>b", "..", "a.b.c", "!inner", "...", "&", "?", "x" * 5000,
)  # fmt: skip
OPERATORS = (
    "eq", "neq", "gt", "lt", "like", "ilike", "match",
    "imatch", "in", "is", "isdistinct", "fts", "plfts", "phfts",
    "wfts", "cs", "cd", "ov", "sl", "sr", "nxr",
    "adj", "not.eq", "not.not.eq", "eq(any)", "like(all)", "or", "",
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "Prefer": (
        "return=representation", "return=minimal", "return=headers-only", "resolution=merge-duplicates",
        "resolution=ignore-duplicates", "missing=default", "count=exact", "count=planned", "tx=rollback",
        "max-affected=1,handling=strict", "handling=strict,made-up=1",
        "params=single-object", "timezone=Mars/Base",
    ),
    "Accept": (
        "application/json", "text/csv", "application/geo+json", "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.plan+json", "application/octet-stream",
        "application/openapi+json", "made/up", ";;",
    ),
    "Content-Type": (
        "application/json", "text/csv",
        "application/x-www-form-urlencoded", "application/octet-stream", "made/up",
        "text/plain", "application/json; charset=utf-16",
    ),
    "Range": ("0-9", "9-0", "-5", "a-b", "0-", "99999999999999999999-", "5"),
    "Range-Unit": ("items", "bytes"),
    "Accept-Profile": ("public", "stats", "private", "made_up", ""),
    "Content-Profile": ("public", "private", "made_up"),
    "traceparent": ("00-0-0-0", "junk", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    "Authorization": (
        "Bearer", "Bearer junk", "Basic YTpi", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30.",
    ),
    "If-None-Match": ('"x"',),
    "X-HTTP-Method-Override": ("DELETE",),
}  # fmt: skip
SQL = """
    select c.relname, array_agg(a.attname::text) from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p') group by 1
    union all
    select 'rpc/' || p.proname, coalesce((p.proargnames)[1:p.pronargs], '{}') from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
    order by 1
"""


@dataclass
class Found:
    """What was answered, and what should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def documented() -> set[int]:
    """Give the statuses that the page lists."""
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Every answer\n")
    return {int(each) for each in re.findall(r"^\| (\d{3}) \|", table.partition("\n## ")[0], re.MULTILINE)}


class Junk:
    """Makes requests; the seed decides which."""

    def __init__(self, names: dict[str, list[str]], ids: list[str], seed: int) -> None:
        self._names, self._ids = names, ids
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret

    def target(self) -> tuple[str, list[str]]:
        """Give a path that exists, mostly, and its columns or parameters."""
        if self._chance.random() < 0.05:
            return quote(self._text(), safe="/."), ["id"]
        name = self._chance.choice([*self._names])
        return name, self._names[name] or ["id"]

    def query(self, columns: list[str]) -> str:
        """Give a query of up to four parts, each right or wrong."""
        parts = [self._part(columns) for _ in range(self._chance.choice((0, 1, 1, 2, 2, 3, 4)))]
        text = urlencode(parts, errors="surrogatepass")
        return (
            text
            if self._chance.random() < 0.95
            else text + self._chance.choice(("&&", "%", "=", "%zz", "&=", "%00"))
        )

    def body(self, columns: list[str], *, whole: bool) -> bytes:
        """Give what is JSON, mostly. whole: with every column or parameter, mostly."""
        if self._chance.random() < 0.15:
            return self._chance.choice(
                (b"", b"{", b"\xff\xfe", b"[" * 2000, b"a,b\n1", b"NaN", b'{"a":1}{"a":2}', b"\0")
            )
        names = columns if whole and self._chance.random() < 0.8 else self._some(columns)
        row = {name: self._likely(name) for name in names}
        rows = [row, {self._chance.choice(columns): self._value(0)}]
        return json.dumps(self._chance.choice((row, row, [row], rows, [], self._value(0)))).encode()

    def headers(self) -> dict[str, str]:
        """Give headers that are known, with values that may be wrong."""
        names = self._chance.sample([*HEADERS], k=self._chance.choice((0, 0, 1, 1, 2, 3)))
        return {name: self._chance.choice(HEADERS[name]) for name in names}

    def method(self) -> str:
        """Give one of HTTP's."""
        return self._chance.choice(METHODS)

    def caller(self, callers: list[dict[str, str]]) -> dict[str, str]:
        """Give somebody's credentials."""
        return self._chance.choice(callers)

    def _text(self) -> str:
        return self._chance.choice((*TEXTS, self._chance.choice(self._ids)))

    def _some(self, columns: list[str]) -> list[str]:
        found = self._chance.sample(columns, k=min(len(columns), self._chance.choice((1, 2, 5, 20))))
        return found + (["made_up"] if self._chance.random() < 0.1 else [])

    def _part(self, columns: list[str]) -> tuple[str, str]:
        column, text = self._chance.choice(columns), self._text()
        names = ",".join(self._some(columns))
        kind: Callable[[], tuple[str, str]] = self._chance.choice(
            (
                lambda: (column, f"{self._chance.choice(OPERATORS)}.{text}"),
                lambda: (column, f"eq.{self._chance.choice(self._ids)}"),
                lambda: (column, "not.is.null"),
                lambda: ("select", column),
                lambda: ("limit", "3"),
                lambda: (column, text),
                lambda: (text, text),
                lambda: ("select", f"{names},{text}"),
                lambda: ("select", f"{column}::{text},{column}->>{text},count(),{column}.sum()"),
                lambda: ("select", f"*,{self._chance.choice([*self._names])}({names})"),
                lambda: ("order", f"{column}.{self._chance.choice(('asc', 'desc.nullsfirst', text))}"),
                lambda: ("limit", text),
                lambda: ("offset", text),
                lambda: ("on_conflict", names),
                lambda: ("columns", names),
                lambda: ("or", f"({column}.{self._chance.choice(OPERATORS)}.{text},and({text}))"),
                lambda: ("not.and", f"({column}.eq.{text})"),
            )
        )
        return kind()

    def _likely(self, name: str) -> Any:
        """Give what such a column may hold, more often than not."""
        if self._chance.random() < 0.3:
            return self._value(0)
        if name == "id" or name.endswith("_id"):
            return self._chance.choice(self._ids)
        if re.search(r"year|version|count|minutes|limit", name):
            return self._chance.choice((1, 7, 60, 2026))
        if re.search(r"_ids$", name):
            return self._ids[:3]
        if re.search(r"date|start|end|from|_to$|_at$|month|_on$", name):
            return self._chance.choice(("2026-01-01", "2026-02-01", "2026-03-14T09:26:53Z"))
        return self._chance.choice((True, "all", "month", "draft", "registered", "", None, "anything"))

    def _value(self, depth: int) -> Any:
        kinds: tuple[Any, ...] = (
            None,
            True,
            0,
            -1,
            10**30,
            1.5,
            1e308,
            self._text(),
            self._text(),
            self._text(),
        )
        if depth < 3 and self._chance.random() < 0.2:
            return self._chance.choice(([self._value(depth + 1)], {self._text(): self._value(depth + 1)}))
        return self._chance.choice(kinds)


def catalog(stack: Stack) -> tuple[dict[str, list[str]], list[str]]:
    """Give what is exposed, with columns and parameters, and some ids that exist."""
    with psycopg.connect(stack.db_url) as owner:
        names: dict[str, list[str]] = dict(owner.execute(SQL).fetchall())
        rows = owner.execute(
            "(select id::text from public.activities order by id limit 5) union all "
            "(select id::text from public.organization_units order by id limit 5) union all "
            "(select id::text from public.profiles order by id limit 5)"
        )
        return names, [row[0] for row in rows]


def callers(stack: Stack) -> list[dict[str, str]]:
    """Give the credentials of nobody, of a stranger to the app, of people, and of the service."""
    people = [sign_in(stack, email).headers for email in PEOPLE]
    return [{}, {"apikey": stack.publishable_key}, *people, *people, {"apikey": stack.secret_key}]


def throw(stack: Stack, cases: int, seed: int) -> Found:
    """Make so many requests, and judge each answer."""
    junk, found, known = Junk(*catalog(stack), seed), Found(), documented()
    everybody, renewed = callers(stack), time.monotonic()
    with httpx.Client(timeout=60, trust_env=False) as http:
        for _ in range(cases):
            if time.monotonic() - renewed > 300:  # a token lasts for ten minutes
                everybody, renewed = callers(stack), time.monotonic()
            path, columns = junk.target()
            method, query = junk.method(), junk.query(columns)
            body = (
                junk.body(columns, whole=path.startswith("rpc/"))
                if method in {"POST", "PATCH", "PUT"}
                else b""
            )
            headers = {**junk.caller(everybody), **junk.headers()}
            request = http.build_request(
                method,
                f"{stack.rest_url}/{path}?{query}",
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                content=body,
            )
            answer = http.send(request)
            found.statuses[answer.status_code] += 1
            if wrong := judge(method, answer, known):
                sent = body[:300].decode(errors="replace")
                found.findings.append(
                    f"{wrong}: {method} {request.url} {junk_only(headers)} {sent!r}: {answer.text[:300]}"
                )
    return found


def judge(method: str, answer: httpx.Response, known: set[int]) -> str | None:
    """Say what is wrong with an answer, if anything is."""
    if answer.status_code not in known:
        return f"undocumented status {answer.status_code}"
    if answer.status_code < 400 or method == "HEAD":
        return None
    if answer.status_code == 404 and answer.text == "{}":
        return None  # PostgREST's word for a write to what does not exist
    try:
        error = answer.json()
    except ValueError:
        return f"{answer.status_code} without JSON"
    return (
        None
        if isinstance(error, dict) and error.get("message")
        else f"{answer.status_code} without a message"
    )


def junk_only(headers: dict[str, str]) -> dict[str, str]:
    """Leave credentials out of what is printed."""
    return {name: value for name, value in headers.items() if name in HEADERS and name != "Authorization"}
