from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.functions.bufdir.reports import PEOPLE, Office
from tests.functions.bufdir.support import DAYS, ROLES, Person, data, forget, organization
from tests.support.stacks import own_stack
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def _as_much_as_they_like(stack: Stack) -> Iterator[None]:
    with lifted(stack):
        yield


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[dict[str, Person]]:
    with httpx.Client(timeout=30, trust_env=False) as http:
        yield {role: Person(stack, http, email) for role, email in ROLES.items()}


@pytest.fixture(scope="package")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of its own for reports: what is reported stays for ever."""
    with own_stack(tmp_path_factory, "reports") as stack:
        yield stack


@pytest.fixture(scope="package")
def office(own: Stack) -> Iterator[Office]:
    with httpx.Client(timeout=60, trust_env=False) as http:
        people = {who: Person(own, http, email) for who, email in PEOPLE.items()}
        assert all(person.headers for person in people.values())
        office = Office(own, people)
        # more than people do in a minute
        office.own(
            "update private.work_limits set person_burst = 99999, organization_burst = 99999 where true"
        )
        yield office


@pytest.fixture(scope="module")
def kari(people: dict[str, Person]) -> Person:
    """The coordinator, signed in."""
    assert people["coordinator"].headers
    return people["coordinator"]


@pytest.fixture(scope="module")
def nhf(stack: Stack) -> UUID:
    return organization(stack, "nhf")


@pytest.fixture
def saved(stack: Stack, people: dict[str, Person]) -> Iterator[dict[str, Any]]:
    """NHF's snapshot of the period, saved by its org admin."""
    forget(stack, DAYS)
    yield data(people["org admin"].call("PUT", "metric-snapshots", **DAYS.query))
    forget(stack, DAYS)
