from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.database.limits.support import Caller, token
from tests.functions.hierarchy.scene import planted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


@pytest.fixture
def forest(stack: Stack) -> Iterator[Forest]:
    """Give an organisation whose limits nobody has used."""
    with planted(stack) as forest:
        forest.add_activity("leaf")
        yield forest
        for table in ("bufdir_export_audit_log", "bufdir_metric_snapshots"):
            forest.db.execute("set session_replication_role = replica")  # the log is append-only
            query = f"delete from public.{table} where organization_id = %s"
            forest.db.execute(query.encode(), [forest.organization])
            forest.db.execute("set session_replication_role = origin")


@pytest.fixture
def head_id(forest: Forest) -> UUID:
    row = forest.db.execute("select id from auth.users where email = %s", [forest.admin]).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


@pytest.fixture
def head(stack: Stack, forest: Forest, head_id: UUID) -> Caller:
    """The org admin."""
    return Caller(stack, token(stack, head_id, forest.organization))


@pytest.fixture
def callers(stack: Stack, forest: Forest, head: Caller) -> dict[str, Caller]:
    """Everybody but the service, by name."""
    return {
        "org admin": head,
        "peer mentor": Caller(stack, token(stack, forest.mentor, forest.organization)),
        "stranger": Caller(stack, token(stack, uuid4(), None)),
        "anonymous": Caller(stack, None),
    }


@pytest.fixture
def service(stack: Stack) -> Caller:
    return Caller(stack, stack.service_role_key)
