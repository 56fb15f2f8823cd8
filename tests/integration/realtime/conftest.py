"""Two organisations, and a policy that lets members send: the migrations have one for listening only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.realtime.support import Organization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

MAY_SEND = """
    create policy "members send" on realtime.messages for insert to authenticated
    with check (
        extension = 'broadcast' and realtime.topic() = 'activities:org:' || (select app.member_org_id()))
"""


@pytest.fixture
def db(stack: Stack) -> Iterator[psycopg.Connection]:
    """Connect as postgres, as migrations and functions of the schema do."""
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def may_send(db: psycopg.Connection) -> Iterator[None]:
    db.execute(MAY_SEND)
    yield
    db.execute('drop policy "members send" on realtime.messages')


@pytest.fixture
def nhf(stack: Stack) -> Organization:
    return Organization.find(stack, "nhf")


@pytest.fixture
def hlf(stack: Stack) -> Organization:
    return Organization.find(stack, "hlf")
