from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from _shared.periods import Period
from snapshot_status.endpoint import snapshot_status
from tests.unit.functions.fakes import bearer, make_token

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

GOOD = {"period_start": "2026-01-01", "period_end": "2027-01-01"}


@pytest.mark.parametrize("end", ["2026-01-01", "2026-01-02", "9999-12-31"])
def test_a_period_may_be_empty_and_long(end: str) -> None:
    period = Period.model_validate_strings(GOOD | {"period_end": end})
    assert (period.period_start, period.period_end) == (dt.date(2026, 1, 1), dt.date.fromisoformat(end))


@pytest.mark.parametrize(
    "day", ["", "0", "1767225600", "20260101", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00", "2026-W01-1"]
)
@pytest.mark.parametrize("field", GOOD)
def test_a_day_is_an_iso_date_and_nothing_else(day: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Period.model_validate_strings(GOOD | {field: day})
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"period_start": "2026-01-02", "period_end": "2026-01-01"}, "period_end is before period_start."),
    ({"period_end": "2026-01-01"}, "Missing or not valid: period_start."),
    ({"period_start": "x", "period_end": "y"}, "Missing or not valid: period_end, period_start."),
    ({}, "Missing or not valid: period_end, period_start."),
]


@pytest.mark.parametrize(("query", "message"), MESSAGES)
async def test_the_answer_says_what_is_wrong(
    client_of: Callable[..., httpx.AsyncClient], query: dict[str, str], message: str
) -> None:
    client = client_of(snapshot_status)
    headers = bearer(make_token())
    answer = await client.get("/", params=query, headers=headers)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
    assert (await client.get("/", params=GOOD, headers=headers)).status_code == 200
