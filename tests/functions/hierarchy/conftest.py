from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.functions.hierarchy.scene import planted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """Reach the functions as the world does: through the gateway."""
    with httpx.Client(base_url=f"{stack.functions_url}/", timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
def forest(stack: Stack) -> Iterator[Forest]:
    """Give an organisation whose summaries nobody computes unasked, drained of its own creation."""
    with planted(stack) as forest:
        forest.set("warm_up_enabled", value=False)
        forest.settle()
        yield forest
