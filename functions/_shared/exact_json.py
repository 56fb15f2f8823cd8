"""JSON whose numbers survive: whole ones of any size as int, others as Decimal, and back without a change.

The usual readers make floats of `2.50` and of sums beyond 15 digits, and the usual writers make a text of a
Decimal. Figures that an organisation is paid by must not be rounded on their way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

from pydantic import BaseModel
from pydantic_core import to_json


def loads(content: bytes | str) -> object:
    """Read JSON. Raises ValueError for anything else, NaN and Infinity included."""
    return json.loads(content, parse_float=Decimal, parse_constant=_refuse)


def dumps(value: object) -> bytes:
    """Write JSON: models as objects, a Decimal digit by digit, everything else as pydantic writes it.

    Raises ValueError for a Decimal that is no number, and pydantic's error for what has no JSON form.
    """
    return _write(value).encode()


def _write(value: object) -> str:
    match value:
        case BaseModel():
            return _write(value.model_dump())
        case Mapping():
            return "{" + ",".join(f"{_text(key)}:{_write(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_write, value)) + "]"
        case Decimal():
            if not value.is_finite():
                raise ValueError("not a number")
            return format(value, "f")
        case _:
            return _text(value)


def _text(value: object) -> str:
    return to_json(value).decode()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
