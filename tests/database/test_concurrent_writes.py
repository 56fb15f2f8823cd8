"""What must hold for an organisation's people and tree also when several sessions write at once."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import IsolationLevel, errors

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from local.stack import Stack

WRITERS = 10
LIMIT = 5
WAIT_SECONDS = 30
LEVELS = [
    pytest.param(IsolationLevel.READ_COMMITTED, id="read-committed"),
    pytest.param(IsolationLevel.REPEATABLE_READ, id="repeatable-read"),
]
ASSIGN = """
    insert into public.chapter_assignments (profile_id, unit_id, organization_id, is_primary)
    values (%s, %s, %s, %s)
"""
MOVE = "update public.organization_units set parent_id = %s where id = %s"


class Organization:
    """An organisation of its own: two regions, ten chapters under the first, one peer mentor."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self.id, self.root, self.north, self.south, self.mentor = (uuid.uuid4() for _ in range(5))
        self.chapters = [uuid.uuid4() for _ in range(WRITERS)]
        slug = f"tests-{self.id.hex}"
        owner.execute(
            "insert into public.organizations (id, slug, name) values (%s, %s, %s)", [self.id, slug, slug]
        )
        self.limit(owner, LIMIT)
        units = [
            (self.root, None, "national"),
            (self.north, self.root, "region"),
            (self.south, self.root, "region"),
            *((chapter, self.north, "local") for chapter in self.chapters),
        ]
        for unit, parent, kind in units:
            owner.execute(
                "insert into public.organization_units (id, organization_id, parent_id, kind, name) "
                "values (%s, %s, %s, %s, %s)",
                [unit, self.id, parent, kind, kind],
            )
        owner.execute(
            "insert into auth.users (id, email) values (%s, %s)", [self.mentor, f"{slug}@tests.example"]
        )
        owner.execute(
            "insert into public.profiles (id, organization_id, role, display_name) "
            "values (%s, %s, 'peer_mentor', 'Someone')",
            [self.mentor, self.id],
        )

    def limit(self, owner: psycopg.Connection, limit: int) -> None:
        owner.execute(
            "update public.organization_settings set max_chapter_assignments = %s where organization_id = %s",
            [limit, self.id],
        )

    def assigned(self, owner: psycopg.Connection, condition: str = "true") -> int:
        query = f"select count(*) from public.chapter_assignments where profile_id = %s and {condition}"
        row = owner.execute(query.encode(), [self.mentor]).fetchone()
        assert row
        count: int = row[0]
        return count

    def remove(self, owner: psycopg.Connection) -> None:
        owner.execute("delete from auth.users where id = %s", [self.mentor])
        owner.execute("delete from public.organizations where id = %s", [self.id])


@pytest.fixture
def owner(stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def organization(owner: psycopg.Connection) -> Iterator[Organization]:
    organization = Organization(owner)
    yield organization
    organization.remove(owner)


def outcome(work: Callable[[], None]) -> type[psycopg.Error] | None:
    """Run it; return the class of the database's refusal, or None if there was none."""
    try:
        work()
    except psycopg.Error as error:
        return type(error)
    return None


def at_once(
    stack: Stack, level: IsolationLevel, work: Callable[[psycopg.Connection, int], None]
) -> list[type[psycopg.Error] | None]:
    """Do the work in ten sessions; all have begun, and seen the database, before the first one writes."""
    barrier = threading.Barrier(WRITERS, timeout=WAIT_SECONDS)

    def session(number: int) -> type[psycopg.Error] | None:
        with psycopg.connect(stack.db_url) as connection:
            connection.isolation_level = level
            connection.execute("select count(*) from public.chapter_assignments")
            barrier.wait()
            return outcome(lambda: write(connection, number))

    def write(connection: psycopg.Connection, number: int) -> None:
        work(connection, number)
        connection.commit()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(session, range(WRITERS)))


def assign(
    organization: Organization, *, is_primary: bool = False
) -> Callable[[psycopg.Connection, int], None]:
    def work(connection: psycopg.Connection, number: int) -> None:
        chapter: UUID = organization.chapters[number]
        connection.execute(ASSIGN, [organization.mentor, chapter, organization.id, is_primary])

    return work


def test_limit_holds_at_read_committed(
    stack: Stack, owner: psycopg.Connection, organization: Organization
) -> None:
    outcomes = at_once(stack, IsolationLevel.READ_COMMITTED, assign(organization))
    assert outcomes.count(None) == LIMIT
    assert outcomes.count(errors.CheckViolation) == WRITERS - LIMIT
    assert organization.assigned(owner) == LIMIT


def test_limit_holds_at_repeatable_read(
    stack: Stack, owner: psycopg.Connection, organization: Organization
) -> None:
    outcomes = at_once(stack, IsolationLevel.REPEATABLE_READ, assign(organization))
    assert outcomes.count(None) == 1
    assert outcomes.count(errors.SerializationFailure) == WRITERS - 1
    assert organization.assigned(owner) == 1

    # what such a client does: try again, as often as it takes
    rounds = 0
    while errors.SerializationFailure in outcomes:
        rounds += 1
        assert rounds < WRITERS
        outcomes = at_once(stack, IsolationLevel.REPEATABLE_READ, assign(organization))
    assert organization.assigned(owner) == LIMIT


def test_without_the_limit_all_are_accepted(
    stack: Stack, owner: psycopg.Connection, organization: Organization
) -> None:
    organization.limit(owner, WRITERS)
    assert at_once(stack, IsolationLevel.READ_COMMITTED, assign(organization)) == [None] * WRITERS
    assert organization.assigned(owner) == WRITERS


def test_one_chapter_is_primary(stack: Stack, owner: psycopg.Connection, organization: Organization) -> None:
    organization.limit(owner, WRITERS)
    outcomes = at_once(stack, IsolationLevel.READ_COMMITTED, assign(organization, is_primary=True))
    assert outcomes.count(None) == 1
    assert outcomes.count(errors.UniqueViolation) == WRITERS - 1
    assert organization.assigned(owner, "is_primary") == 1


def wait_until_blocked(owner: psycopg.Connection, pid: int) -> None:
    """Wait until a session waits for another one's lock."""
    query = "select cardinality(pg_blocking_pids(%s)) > 0"
    eventually(lambda: owner.execute(query, [pid]).fetchone() == (True,))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ends_in_a_cycle", [True, False], ids=["cycle", "no-cycle"])
def test_two_moves_at_once_make_no_cycle(
    stack: Stack,
    owner: psycopg.Connection,
    organization: Organization,
    level: IsolationLevel,
    *,
    ends_in_a_cycle: bool,
) -> None:
    """Each of the two is allowed alone: north under south, and south under north (or where it is already)."""
    o = organization
    with (
        psycopg.connect(stack.db_url) as first,
        psycopg.connect(stack.db_url) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.isolation_level = second.isolation_level = level
        for connection in (first, second):
            connection.execute("select count(*) from public.organization_units")
        first.execute(MOVE, [o.south, o.north])

        def move_second() -> None:
            second.execute(MOVE, [o.north if ends_in_a_cycle else o.root, o.south])
            second.commit()

        waiting = pool.submit(outcome, move_second)
        wait_until_blocked(owner, second.info.backend_pid)
        first.commit()
        refusal = waiting.result(timeout=WAIT_SECONDS)

    if level == IsolationLevel.REPEATABLE_READ:
        assert refusal is errors.SerializationFailure  # it cannot see the other move, so it may not decide
    else:
        assert refusal is (errors.CheckViolation if ends_in_a_cycle else None)
    parents = owner.execute(
        "select id, parent_id from public.organization_units where kind = 'region' and organization_id = %s",
        [o.id],
    ).fetchall()
    assert dict(parents) == {o.north: o.south, o.south: o.root}


APPROVE = "update public.expense_claims set status = 'approved' where id = %s"


@pytest.fixture
def claims(owner: psycopg.Connection) -> Iterator[list[UUID]]:
    """Two pending claims, of 100 and 20 kroner, for one activity that has no others."""
    ids = [uuid.uuid4(), uuid.uuid4()]
    owner.execute(
        """insert into public.expense_claims (id, organization_id, activity_id, amount_nok)
           select unnest(%s::uuid[]), a.organization_id, a.id, unnest(array[100, 20])
           from (select * from public.activities a
                 where not exists (select from public.expense_claims c where c.activity_id = a.id)
                 order by a.id limit 1) a""",
        [ids],
    )
    yield ids
    owner.execute("delete from public.expense_claims where id = any (%s)", [ids])


@pytest.mark.parametrize("level", LEVELS)
def test_two_approvals_at_once_are_both_in_the_sum(
    stack: Stack, owner: psycopg.Connection, claims: list[UUID], level: IsolationLevel
) -> None:
    """The sum is computed from the claims, so the second one has to see what the first one approved."""
    with (
        psycopg.connect(stack.db_url) as first,
        psycopg.connect(stack.db_url) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.isolation_level = second.isolation_level = level
        for connection in (first, second):
            connection.execute("select count(*) from public.expense_claims")
        first.execute(APPROVE, [claims[0]])

        def approve_second() -> None:
            second.execute(APPROVE, [claims[1]])
            second.commit()

        waiting = pool.submit(outcome, approve_second)
        wait_until_blocked(owner, second.info.backend_pid)
        first.commit()
        refusal = waiting.result(timeout=WAIT_SECONDS)
        second.rollback()
        if level == IsolationLevel.REPEATABLE_READ:
            assert refusal is errors.SerializationFailure  # it cannot see the other, so it may not sum
            approve_second()
        else:
            assert refusal is None
    row = owner.execute(
        "select a.approved_expenses_nok from public.activities a"
        " join public.expense_claims c on c.activity_id = a.id where c.id = %s",
        [claims[0]],
    ).fetchone()
    assert row == (120,)
