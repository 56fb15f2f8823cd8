"""What `make watch` says, and how long it waits."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tools.watch import delays, describe


def test_waits_twice_as_long_each_time_up_to_half_a_minute() -> None:
    assert list(islice(delays(), 8)) == [1, 2, 4, 8, 16, 30, 30, 30]


def test_waits_as_long_after_a_night_without_a_network() -> None:
    assert next(islice(delays(), 10_000, None)) == 30


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        pytest.param({"unit_ids": ["a"], "dates": []}, "1 unit invalidated", id="no-dates"),
        pytest.param(
            {"unit_ids": ["a", "b"], "dates": ["2026-02-01", "2026-01-31"]},
            "2 units invalidated: 2026-01-31, 2026-02-01",
            id="in-order",
        ),
        pytest.param(
            {"unit_ids": ["a"], "dates": ["2026-01-04", "2026-01-03", "2026-01-02", "2026-01-01"]},
            "1 unit invalidated: 2026-01-01 … 2026-01-04 (4 dates)",
            id="many-dates",
        ),
        pytest.param({"id": "added by the server"}, "0 units invalidated", id="empty"),
    ],
)
def test_says_what_was_invalidated(payload: dict[str, Any], line: str) -> None:
    assert describe(payload) == line
