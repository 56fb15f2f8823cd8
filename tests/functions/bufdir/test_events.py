"""What really goes out when an activity is registered and when an expense is decided, by the contracts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
import pytest

from _shared import exact_json
from tests.functions.bufdir.support import owner
from tests.support.upkeep import FORGET_WHAT_WAS_ASKED
from tools.contracts import ActivityRegistered, ExpenseDecided, UpkeepDue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from local.stack import Stack
    from tests.functions.bufdir.support import Person

    Connection = psycopg.Connection[tuple[Any, ...]]

SLUGS = {"refresh-stats-views", "invalidate-hierarchy-cache"}
CLAIM = """
    insert into public.expense_claims (activity_id, organization_id, amount_nok)
    select a.id, a.organization_id, 123.45 from public.activities a
    where a.is_counted and a.coordinator_id is not null order by a.id limit 1 returning id
"""
KARIS_CLAIM = """
    insert into public.expense_claims (activity_id, organization_id, amount_nok)
    select a.id, a.organization_id, 123.45 from public.activities a
    where a.is_counted
      and a.coordinator_id = (select u.id from auth.users u where u.email = 'kari@nhf.example')
    order by a.id limit 1 returning id
"""
REGISTER = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, activity_type_id, occurred_at,
                                   duration_minutes, participant_count, contact_id, registered_by, summary)
    select organization_id, unit_id, peer_mentor_id, activity_type_id, now(), 90, 5, gen_random_uuid(),
           peer_mentor_id, 'Snakket om SECRET'
    from public.activities where is_counted order by id limit 1
"""


@pytest.fixture
def connection(stack: Stack) -> Iterator[Connection]:
    """A transaction that is undone, before which nothing was asked for of late."""
    with owner(stack) as db:
        db.execute("update stats.settings set debounce = '0'")
        db.execute("update stats.stats_refresh_log set last_started_at = null")
        db.execute(FORGET_WHAT_WAS_ASKED)
        db.execute("delete from private.deliveries where true")
        yield db


def sent(db: Connection) -> dict[str, str]:
    """Do what the commit does first; give the bodies queued by this transaction, by receiver."""
    before = queued(db)
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")
    return {receiver: body for _, receiver, body in queued(db) - before}


def queued(db: Connection) -> set[tuple[int, str, str]]:
    """Give number, receiver and body of what waits to be sent."""
    rows = db.execute("select id, url, convert_from(body, 'UTF8') from net.http_request_queue").fetchall()
    return {(number, url.rpartition("/")[2], body) for number, url, body in rows}


def assert_is(model: type[BaseModel], events: dict[str, str]) -> None:
    assert set(events) == SLUGS
    for body in events.values():
        event = model.model_validate_json(body)
        assert json.loads(event.model_dump_json()) == json.loads(body)  # nothing left out on either side
        assert "SECRET" not in body


def test_a_registered_activity_is_announced_as_the_contract_says(connection: Connection) -> None:
    connection.execute(REGISTER)
    assert_is(ActivityRegistered, sent(connection))


def test_an_approved_expense_is_announced_as_the_contract_says(connection: Connection) -> None:
    claim = connection.execute(CLAIM).fetchone()
    assert sent(connection) == {}  # a claim that is pending changes no figure
    connection.execute("update public.expense_claims set status = 'approved' where id = %s", claim)
    assert_is(ExpenseDecided, sent(connection))


def test_a_rejected_expense_changes_no_figure_and_sends_nothing(connection: Connection) -> None:
    claim = connection.execute(CLAIM).fetchone()
    connection.execute("update public.expense_claims set status = 'rejected' where id = %s", claim)
    assert sent(connection) == {}


SWEEP = (
    "select stats.ask('refresh-stats-views', 'sweep', o.id, '[]', true) from public.organizations o limit 1"
)


@pytest.mark.parametrize(
    ("statement", "slug"),
    [
        ("select public.request_invalidation_again()", "invalidate-hierarchy-cache"),
        ("select private.request_precompute()", "warm-hierarchy-cache"),
        ("select private.send_heartbeat()", "invalidate-hierarchy-cache"),
        (SWEEP, "refresh-stats-views"),
    ],
)
def test_what_time_brings_about_is_announced_as_the_contract_says(
    connection: Connection, statement: LiteralString, slug: str
) -> None:
    before = queued(connection)
    connection.execute(statement)
    announced = queued(connection) - before
    assert {receiver for _, receiver, _ in announced} == {slug}
    for _, _, body in announced:
        assert json.loads(UpkeepDue.model_validate_json(body).model_dump_json()) == json.loads(body)


def test_an_approval_changes_the_coordinators_months_at_the_same_commit(stack: Stack, kari: Person) -> None:
    """Approved by the coordinator herself, seen at her very next look, with nothing in between."""
    with psycopg.connect(stack.db_url, autocommit=True) as db:
        claim = db.execute(KARIS_CLAIM).fetchone()
        assert claim is not None
        try:
            before = approved(kari)
            patched = kari.rest("PATCH", f"expense_claims?id=eq.{claim[0]}", {"status": "approved"})
            assert patched.status_code == 204
            assert approved(kari) - before == Decimal("123.45")
        finally:
            db.execute("delete from public.expense_claims where id = %s", claim)
        assert approved(kari) == before


def approved(person: Person) -> Decimal:
    answer = person.rest("GET", "coordinator_monthly_stats?select=approved_expenses_nok")
    rows = cast("list[dict[str, Decimal]]", exact_json.loads(answer.content))
    assert rows
    return sum((row["approved_expenses_nok"] for row in rows), Decimal(0))
