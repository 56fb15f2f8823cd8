from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from _shared import exact_json

BEYOND_FLOATS = 2**53 + 1
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993", BEYOND_FLOATS),
        ("-9223372036854775809", -(2**63) - 1),
        ("2.50", Decimal("2.50")),
        ("90071992547409931.12345678901234567", Decimal("90071992547409931.12345678901234567")),
        ("2", 2),
        ("true", True),
        ('"2.50"', "2.50"),
    ],
)
def test_what_is_read_has_its_own_type_and_every_digit(text: str, value: object) -> None:
    read = exact_json.loads(text)
    assert (type(read), read) == (type(value), value)
    assert exact_json.dumps(read).decode() == text


@given(JSON)
def test_what_is_written_and_read_is_the_same(value: Any) -> None:
    assert exact_json.loads(exact_json.dumps(value)) == value


class Sum(BaseModel):
    hours: Decimal
    by: dict[str, Decimal]


def test_models_days_and_ids_are_written_as_pydantic_writes_them_but_for_decimals() -> None:
    value = {
        "sums": [Sum(hours=Decimal("1.50"), by={"æ": Decimal("1E+3")})],
        "id": UUID(int=1),
        "day": date(2026, 1, 31),
        "at": datetime(2026, 1, 31, 12, 0, 0, 5, UTC),
        "pair": (None, 'a"b'),
    }
    assert exact_json.dumps(value).decode() == (
        '{"sums":[{"hours":1.50,"by":{"æ":1000}}],"id":"00000000-0000-0000-0000-000000000001",'
        '"day":"2026-01-31","at":"2026-01-31T12:00:00.000005Z","pair":[null,"a\\"b"]}'
    )


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "{", "", "1.", "<html>"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact_json.loads(text)
    assert exact_json.loads("1.0") == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_a_decimal_that_is_no_number_is_not_written(number: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        exact_json.dumps(Decimal(number))
    assert exact_json.dumps(Decimal(1)) == b"1"
