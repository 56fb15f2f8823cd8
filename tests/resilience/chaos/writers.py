"""People who write through the API all the while, and remember what was acknowledged to them."""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PEOPLE = ("ola", "liv", "solveig")
PAUSE_SECONDS = 0.03
FEW = 20
FIRST_DAY = dt.date(2010, 1, 1)
A_DAY = 4  # activities of at most five hours: a day has 24
REFUSED = {401, 403, 429}
"""Statuses that say for certain that nothing was written; a 400 without a code does not."""
OWN = """
    select a.organization_id::text, a.unit_id::text, a.peer_mentor_id::text, a.activity_type_id::text
    from public.activities a
    join auth.users u on u.id = a.peer_mentor_id
    join public.chapter_assignments c on c.profile_id = u.id and c.unit_id = a.unit_id
    where u.email = %s and a.registered_by = a.peer_mentor_id
    order by a.id limit 1
"""
COLUMNS = ("organization_id", "unit_id", "peer_mentor_id", "activity_type_id")

Minutes = int | None
"""How long an activity of ours took; None where it is not there."""


@dataclass
class Written:
    """What may be in the database, by activity: one value where the last write was acknowledged.

    Whoever had no answer does not know what became of a write: then it is the old value, or the new one, and
    nobody touches that activity again, because the write may still be under way.
    """

    possible: dict[str, set[Minutes]] = field(default_factory=dict)
    story: dict[str, list[str]] = field(default_factory=dict)
    acknowledged: int = 0
    unanswered: int = 0
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """How often which answer was no success: status and code."""

    def certain(self) -> list[str]:
        """Give the activities that are there for certain."""
        return [name for name, values in self.possible.items() if len(values) == 1 and None not in values]

    def lost(self, connection: psycopg.Connection[Any]) -> list[str]:
        """Give the activities of which the database says what cannot be, with what was done to them."""
        query = "select id::text, duration_minutes from public.activities where id = any (%s::uuid[])"
        there = dict(connection.execute(query, [list(self.possible)]).fetchall())
        return [
            f"{name} is {there.get(name)}, should be {values}: {', '.join(self.story[name])}"
            for name, values in self.possible.items()
            if there.get(name) not in values
        ]


class Writer:
    """One person: registers, corrects and deletes activities of their own, one after the other."""

    def __init__(self, stack: Stack, person: str, seed: int) -> None:
        self.written = Written()
        self._stack, self._email = stack, f"{person}@nhf.example"
        self._random = random.Random(seed)  # noqa: S311 - work, not secrets
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        with psycopg.connect(stack.db_url) as connection:
            row = connection.execute(OWN, [self._email]).fetchone()
        assert row is not None, f"{person} has registered nothing that could be repeated"
        self._template = dict(zip(COLUMNS, row, strict=True))
        self._headers = sign_in(stack, self._email).headers

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            try:
                with httpx.Client(base_url=self._stack.rest_url, timeout=10, trust_env=False) as http:
                    while not self._stopping.wait(PAUSE_SECONDS):
                        self._write(http)
            except httpx.HTTPError:
                self.written.unanswered += 1

    def _write(self, http: httpx.Client) -> None:
        """Write once. What is possible is noted before, so that an exception leaves it right."""
        written = self.written
        name, after, request = self._next(http)
        before = written.possible.get(name, {None})
        written.possible[name] = before | {after}
        written.story.setdefault(name, []).append(f"{request.method} {after}")
        answer = http.send(request)
        written.story[name].append(str(answer.status_code))
        if answer.is_success:
            written.acknowledged += 1
            written.possible[name] = {after}
            return
        written.failures[f"{answer.status_code} {code_of(answer)}"] += 1
        written.story[name].append(f"{answer.text} {dict(answer.headers)}")
        if answer.status_code in REFUSED:
            written.refused += 1
            written.possible[name] = before
            if answer.status_code == 401:
                self._headers = sign_in(self._stack, self._email).headers
        else:
            written.unanswered += 1

    def _next(self, http: httpx.Client) -> tuple[str, Minutes, httpx.Request]:
        """Decide what to write: about which activity, what it is to be then, and the request."""
        minutes, certain = self._random.randint(1, 300), self.written.certain()
        if len(certain) < FEW or self._random.random() < 0.5:
            name = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            day = FIRST_DAY + dt.timedelta(days=len(self.written.possible) // A_DAY)
            body = {
                **self._template,
                "id": name,
                "occurred_at": f"{day}T12:00:00Z",
                "duration_minutes": minutes,
                "registered_by": self._template["peer_mentor_id"],
            }
            return name, minutes, http.build_request("POST", "activities", json=body, headers=self._headers)
        name = self._random.choice(certain)
        url = f"activities?id=eq.{name}"
        if self._random.random() < 0.3:
            return name, None, http.build_request("DELETE", url, headers=self._headers)
        change = {"duration_minutes": minutes}
        return name, minutes, http.build_request("PATCH", url, json=change, headers=self._headers)


def code_of(answer: httpx.Response) -> str:
    """Give the code in a refusal as it is written, so that an empty one is seen as that."""
    try:
        said = answer.json()
        return repr(said.get("error", said).get("code"))
    except ValueError:
        return "without JSON"


def total(writers: list[Writer]) -> Iterator[Written]:
    """Give what each has written."""
    yield from (writer.written for writer in writers)
