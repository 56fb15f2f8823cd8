"""What the tests of versions share: a stack of their own, because what is reported stays for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from tests.functions.bufdir.support import DAYS, Days, Person, data

if TYPE_CHECKING:
    import httpx

    from local.stack import Stack

PEOPLE = {
    "peer mentor": "ola@nhf.example",
    "coordinator": "kari@nhf.example",
    "other coordinator": "tone@nhf.example",
    "org admin": "astrid@nhf.example",
    "other organisation": "hanne@hlf.example",
    "anonymous": None,
}


@dataclass
class Office:
    """The people of NHF at work on the report of a period."""

    stack: Stack
    people: dict[str, Person]
    days: Days = DAYS

    def __getitem__(self, who: str) -> Person:
        return self.people[who]

    def save(self, who: str = "coordinator") -> Any:
        return data(self[who].call("PUT", "metric-snapshots", **self.days.query))

    def step(self, who: str, step: str, version: object = None) -> httpx.Response:
        query = self.days.query | {"step": step} | ({} if version is None else {"version": version})
        return self[who].call("POST", "bufdir-reports", **query)

    def prepare(self, who: str = "coordinator") -> Any:
        self.save(who)
        return data(self.step(who, "prepare"))

    def approve(self, who: str = "org admin") -> Any:
        """Prepare as the coordinator, and approve as somebody else."""
        return data(self.step(who, "approve", self.prepare()["id"]))

    def versions(self, who: str = "org admin") -> Any:
        return data(self[who].call("GET", "bufdir-reports", **self.days.query))

    def export(self, who: str, version: object, file_format: str = "json") -> httpx.Response:
        return self[who].call("GET", "bufdir-export", version=version, format=file_format)

    def exports(self) -> list[Any]:
        rows = self["org admin"].rest("GET", "bufdir_export_audit_log?version_id=not.is.null&order=id")
        return list(rows.json())

    def own(self, statement: str) -> Any:
        """Do something as the owner; the first row, if there is one."""
        with psycopg.connect(self.stack.db_url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def some_activity(self, email: str = "ola@nhf.example") -> Any:
        """An activity of a person's in the period that counts."""
        row = self.own(f"""
            select a.id from public.activities a join auth.users u on u.id = a.peer_mentor_id
            where u.email = '{email}' and a.is_counted
              and a.occurred_at >= '{self.days.start}T12:00Z' and a.occurred_at < '{self.days.end}Z'
            order by a.occurred_at, a.id limit 1""")
        assert row is not None
        return row[0]

    def edit(self, minutes: str = "duration_minutes % 100 + 1") -> None:
        """Change something that the report shows."""
        self.own(
            f"update public.activities set duration_minutes = {minutes} where id = '{self.some_activity()}'"
        )
