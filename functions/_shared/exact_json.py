"""JSON whose numbers survive: whole ones of any size as int, others as Decimal, and back without a change.

The usual readers make floats of `2.50` and of sums beyond 15 digits, and the usual writers make a text of a
Decimal. Figures that an organisation is paid by must not be rounded on their way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn

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
    write = _WRITERS.get(type(value))
    if write:
        return write(value)
    match value:
        case BaseModel():
            return _write(value.model_dump())
        case Mapping():
            return _write_object(value)
        case list() | tuple():
            return _write_list(value)
        case _:
            return to_json(value).decode()


def _write_object(value: Mapping[object, object]) -> str:
    return "{" + ",".join([f"{_write(key)}:{_write(item)}" for key, item in value.items()]) + "}"


def _write_list(value: Iterable[object]) -> str:
    return "[" + ",".join(map(_write, value)) + "]"


def _write_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("not a number")
    return format(value, "f")


# What answers consist of; each is written for every request.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    Decimal: _write_decimal,
    dict: _write_object,
    list: _write_list,
}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
