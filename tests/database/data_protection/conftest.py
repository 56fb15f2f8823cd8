from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from tests.functions.bufdir.support import Person
from tests.support.stacks import own_stack
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack
    from tests.resilience.own_cluster import Connection


@pytest.fixture(scope="package")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack whose people may be erased; nobody else needs them afterwards."""
    with own_stack(tmp_path_factory, "erasure") as stack, lifted(stack):
        yield stack


@pytest.fixture
def db(own: Stack) -> Iterator[Connection]:
    with psycopg.connect(own.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="package")
def person(own: Stack) -> Iterator[Callable[[str], Person]]:
    """Give somebody who signs in with the app when they first call; the same each time."""
    people: dict[str, Person] = {}
    with httpx.Client(timeout=60, trust_env=False) as http:
        yield lambda email: people.setdefault(email, Person(own, http, email))
