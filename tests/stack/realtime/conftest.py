"""Two organisations whose members may listen to broadcasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.stack.realtime.support import Organization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@pytest.fixture
def db(stack: Stack) -> Iterator[psycopg.Connection]:
    """Connect as postgres, as migrations and functions of the schema do."""
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def nhf(stack: Stack) -> Organization:
    return Organization.find(stack, "nhf")


@pytest.fixture
def hlf(stack: Stack) -> Organization:
    return Organization.find(stack, "hlf")
