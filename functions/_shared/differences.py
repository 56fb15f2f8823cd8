"""Two JSON documents, compared field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator

# What an element of a list is known by: its position shifts when one is added before it.
_IDENTITIES = ("bufdir_category_code", "activity_type_id", "region_unit_id")


class Difference(BaseModel):
    """One field that is not what it should be.

    field_name : a JSON pointer (RFC 6901), where an element of a list goes by its code or id.
    Where one side lacks the field, its value is null.
    """

    model_config = ConfigDict(frozen=True)

    field_name: str
    expected_value: Any
    actual_value: Any


def differences(expected: object, actual: object, pointer: str = "") -> Iterator[Difference]:
    """Give each field that differs in value or type: `2` is not `2.0`, `null` is not an absent field.

    Documents as `exact_json` reads them.
    """
    left, right = _fields(expected), _fields(actual)
    if left is None or right is None or isinstance(expected, list) is not isinstance(actual, list):
        if type(expected) is not type(actual) or expected != actual:
            yield Difference(field_name=pointer, expected_value=expected, actual_value=actual)
        return
    for name in sorted(left.keys() | right.keys()):
        below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in left and name in right:
            yield from differences(left[name], right[name], below)
        else:
            yield Difference(field_name=below, expected_value=left.get(name), actual_value=right.get(name))


def _fields(value: object) -> Mapping[str, object] | None:
    """Name what is inside; None for what has no inside."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list):
        names = [_identity(item, position) for position, item in enumerate(value)]
        if len(set(names)) < len(names):  # an element twice: only its position tells them apart
            names = [str(position) for position in range(len(value))]
        return dict(zip(names, value, strict=True))
    return None


def _identity(item: object, position: int) -> str:
    if isinstance(item, Mapping):
        for field in _IDENTITIES:
            if field in item:
                return "null" if item[field] is None else str(item[field])
    return str(position)
