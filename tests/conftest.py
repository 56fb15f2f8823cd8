"""The stack that integration and end-to-end tests run against: one per session, on ports of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from local.config import Ports
from local.requirements import ROOT
from local.stack import Stack
from tests.support.claims import claimed, is_claimed
from tests.support.leaks import shapes_in_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT_TESTS = ROOT / "tests" / "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a unit test that asks for the stack: unit tests need no database and no network."""
    for item in items:
        if UNIT_TESTS in item.path.parents and "stack" in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{item.nodeid} is a unit test and may not use the stack")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Give a running stack with migrations and seed; removed at the end, whatever happened in between.

    It may run beside `make start`, and beside other test runs.
    What a killed run left behind is removed first.
    """
    for left_over in ROOT.glob(".stack-test-*"):
        if not is_claimed(left_over):
            Stack(left_over).destroy()
    state_dir = ROOT / f".stack-test-{os.getpid()}"
    with claimed(state_dir):
        stack = Stack(state_dir, Ports.free())
        try:
            stack.start()
            yield stack
            # After all that the tests did with it.
            assert shapes_in_logs(stack) == set(), "what a log says of secrets and people"
        finally:
            stack.destroy()
