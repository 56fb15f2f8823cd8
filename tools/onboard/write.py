"""Writes a plan, each step in one transaction: a run that breaks off leaves whole steps, and is repeated."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from local.errors import StackError
from tools.onboard import write_activities, write_organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.onboard.files import Folder
    from tools.onboard.plan import Plan
    from tools.onboard.sign_ins import SignIns
    from tools.onboard.state import State

    Connection = psycopg.Connection[tuple[Any, ...]]
    Report = Callable[[str, int, int], None]

ROWS_PER_STEP = 10_000


@dataclass(frozen=True)
class Ids:
    """Of what is there by now, by what the files call it."""

    organization: str
    units: dict[str, str]
    types: dict[str, str]
    people: dict[str, str]
    coordinators: dict[str, str]
    """Of each chapter, who follows up what nobody else does."""


@dataclass(frozen=True)
class Run:
    """What is written where, and who is told. `connection` is of the owner, in autocommit."""

    connection: Connection
    folder: Folder
    sign_ins: SignIns
    report: Report


def write(run: Run, state: State, plan: Plan) -> None:
    """Write it all.

    Raises StackError where database or Auth server refuse: that step is not written, those before it are.
    """
    connection, report = run.connection, run.report
    report("organisation, units, rules", 0, 1)
    with _step(connection, "the organisation"):
        write_organization.write(connection, run.folder, state, plan, lambda: _ids(run))
    if plan.without_sign_in:
        total = len(plan.without_sign_in)
        report("sign-ins", 0, total)
        people = [(person.email, state.people.get(person.email)) for person in plan.without_sign_in]
        run.sign_ins.make(
            connection, _ids(run).organization, people, lambda done: report("sign-ins", done, total)
        )
    ids = _ids(run)
    if any(person.email not in ids.people for person in plan.people.written):
        raise StackError("sign-ins that were made are not in this database: are URL and DB of one project?")
    report("people", 0, 1)
    with _step(connection, "people"):
        write_organization.write_people(connection, plan.people.written, ids)
    _write_activities(run, plan, ids)
    report("planner statistics", 0, 1)
    connection.execute("analyze public.organization_units, public.profiles, public.chapter_assignments")
    connection.execute("analyze public.activities")


def _write_activities(run: Run, plan: Plan, ids: Ids) -> None:
    """Write the oldest first, as they would have come in."""
    kinds = (
        (plan.activities.added, write_activities.insert),
        (plan.activities.changed, write_activities.update),
    )
    total, done = sum(len(lines) for lines, _ in kinds), 0
    for lines, written_by in kinds:
        ordered = sorted(lines, key=lambda line: line.occurred_at)
        for first in range(0, len(ordered), ROWS_PER_STEP):
            run.report("activities", done, total)
            step = ordered[first : first + ROWS_PER_STEP]
            with _step(run.connection, "activities", [line.row.line for line in step]):
                written_by(run.connection, step, ids)
            done += len(step)


@contextmanager
def _step(connection: Connection, name: str, lines: list[int] | None = None) -> Iterator[None]:
    """One transaction; what the database refuses is told by line where it says which, and without values."""
    try:
        with connection.transaction():
            yield
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        copied = re.search(r"COPY \w+, line (\d+)", error.diag.context or "")
        if lines and copied:
            name = f"{name}.csv:{lines[int(copied[1]) - 1]}"
        raise StackError(f"{name}: {error.diag.message_primary}") from None


def _ids(run: Run) -> Ids:
    def pairs(query: str, *parameters: object) -> dict[str, str]:
        return {name: str(id_) for name, id_ in run.connection.execute(query.encode(), parameters).fetchall()}

    folder = run.folder
    slug = folder.organizations[0].slug
    organization = pairs("select slug, id from public.organizations where slug = %s", slug)[slug]
    emails = {person.email for person in folder.people}
    emails |= {row.peer_mentor for row in folder.activities}
    emails |= {email for row in folder.activities for email in (row.registered_by, row.coordinator) if email}
    return Ids(
        organization,
        pairs("select name, id from public.organization_units where organization_id = %s", organization),
        pairs("select code, id from public.activity_types where organization_id = %s", organization),
        pairs("select lower(email), id from auth.users where lower(email) = any (%s)", list(emails)),
        pairs(
            "select chapter_id::text, coordinator_id from stats.default_coordinators "
            "where organization_id = %s",
            organization,
        ),
    )
