"""How many requests of one person, and of one organisation, the database works on at the same time."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from tests.database.limits.support import TOO_MANY_AT_ONCE, Caller, token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest

PERSON, ORGANIZATION, RUNNING = 10, 15, 2
QUERY = "organizations?select=slug"


@contextmanager
def taken(stack: Stack, whose: str, count: int) -> Iterator[Callable[[], None]]:
    """Take so many places, as that many requests under way would. Gives what frees one of them."""
    with ExitStack() as stack_of_connections:
        connections = [
            stack_of_connections.enter_context(psycopg.connect(stack.db_url)) for _ in range(count)
        ]
        for connection in connections:
            row = connection.execute("select app.take_place(%s, %s)", [whose, count]).fetchone()
            assert row == (True,)
        yield connections[0].rollback


def test_one_person_cannot_take_all(stack: Stack, forest: Forest, head: Caller, head_id: UUID) -> None:
    with taken(stack, f"person {head_id}", PERSON) as free:
        for method in ("GET", "POST"):
            path = QUERY if method == "GET" else "rpc/search_units"
            answer = head.call(method, path, {"p_query": "a"} if method == "POST" else None)
            assert (answer.status_code, answer.json()) == (429, TOO_MANY_AT_ONCE)
            assert answer.headers["retry-after"] == "1"
        colleague = Caller(stack, token(stack, forest.mentor, forest.organization))
        assert colleague.call("GET", QUERY).status_code == 200
        free()
        assert head.call("GET", QUERY).status_code == 200


def test_one_organisation_cannot_take_all(stack: Stack, forest: Forest, callers: dict[str, Caller]) -> None:
    with taken(stack, f"organization {forest.organization}", ORGANIZATION) as free:
        for name in ("org admin", "peer mentor"):
            answer = callers[name].call("GET", QUERY)
            assert (answer.status_code, answer.json()) == (429, TOO_MANY_AT_ONCE)
        assert callers["stranger"].call("GET", QUERY).status_code == 200
        neighbour = Caller(stack, token(stack, uuid4(), uuid4()))
        assert neighbour.call("GET", QUERY).status_code == 200
        free()
        assert callers["org admin"].call("GET", QUERY).status_code == 200


def test_nobody_in_particular_is_one_caller(stack: Stack, callers: dict[str, Caller]) -> None:
    with taken(stack, "person anonymous", PERSON):
        answer = callers["anonymous"].call("GET", QUERY)
        assert (answer.status_code, answer.json()) == (429, TOO_MANY_AT_ONCE)
        assert callers["org admin"].call("GET", QUERY).status_code == 200


def test_two_of_a_person_run_and_the_others_wait_for_them(stack: Stack, head: Caller, head_id: UUID) -> None:
    with taken(stack, f"running {head_id}", RUNNING):
        answer = head.call("GET", QUERY)
        assert (answer.status_code, answer.json()) == (429, TOO_MANY_AT_ONCE)
    assert head.call("GET", QUERY).status_code == 200


def test_one_that_embeds_lists_runs_at_a_time(stack: Stack, head: Caller, head_id: UUID) -> None:
    path = "organization_units?select=name,activities(id)"
    with taken(stack, f"lists {head_id}", 1):
        answer = head.call("GET", path)
        assert (answer.status_code, answer.json()) == (429, TOO_MANY_AT_ONCE)
        assert answer.headers["retry-after"] == "1"
        assert head.call("GET", "activities?select=id,organization_units(name)").status_code == 200
    assert head.call("GET", path).status_code == 200


def test_the_service_needs_no_place(stack: Stack, service: Caller) -> None:
    with taken(stack, "person anonymous", PERSON):
        assert service.call("GET", QUERY).status_code == 200


def test_a_wait_leaves_no_other_time_limit_behind(stack: Stack) -> None:
    with psycopg.connect(stack.db_url) as connection, taken(stack, "running nobody", RUNNING) as free:
        connection.execute("set local lock_timeout = '7s'")
        assert connection.execute("select app.wait_for_place('running nobody', 2)").fetchone() == (False,)
        assert connection.execute("show lock_timeout").fetchone() == ("7s",)
        free()
        assert connection.execute("select app.wait_for_place('running nobody', 2)").fetchone() == (True,)
        assert connection.execute("show lock_timeout").fetchone() == ("7s",)
