from __future__ import annotations

from typing import Any

import pytest

from _shared import exact_json
from _shared.differences import differences


def found(expected: str, actual: str) -> list[tuple[str, Any, Any]]:
    listed = differences(exact_json.loads(expected), exact_json.loads(actual))
    return [(one.field_name, one.expected_value, one.actual_value) for one in listed]


@pytest.mark.parametrize(
    "document",
    ["1", "1.50", "null", "{}", "[]", '{"a":{"b":[1,{"c":null}]}}', '[{"region_unit_id":null,"n":1}]'],
)
def test_a_document_does_not_differ_from_itself(document: str) -> None:
    assert found(document, document) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param("2", "2.0", id="whole-and-decimal"),
        pytest.param("2", '"2"', id="number-and-text"),
        pytest.param("1", "true", id="number-and-boolean"),
        pytest.param("0", "null", id="zero-and-null"),
        pytest.param("{}", "[]", id="object-and-list"),
        pytest.param("9007199254740993", "9007199254740992", id="beyond-what-a-float-tells-apart"),
        pytest.param("0.1", "0.10000000000000000001", id="decimals-a-float-takes-for-equal"),
    ],
)
def test_another_value_or_another_type_differs(expected: str, actual: str) -> None:
    document = '{"totals": {"activity_count": %s}}'
    assert found(document % expected, document % actual) == [
        ("/totals/activity_count", exact_json.loads(expected), exact_json.loads(actual))
    ]


def test_scale_is_no_difference() -> None:
    assert found("2.50", "2.5") == []


def test_an_absent_field_differs_from_null() -> None:
    assert found('{"a": null}', "{}") == [("/a", None, None)]
    assert found("{}", '{"a": 1}') == [("/a", None, 1)]
    assert found('{"a": 1}', '{"a": 1}') == []


def test_names_are_escaped_as_json_pointers() -> None:
    assert [name for name, *_ in found('{"a/b": {"~c": 1}}', '{"a/b": {"~c": 2}}')] == ["/a~1b/~0c"]


def test_an_element_of_a_list_is_known_by_its_code_so_one_more_is_one_difference() -> None:
    course = '{"bufdir_category_code":"COURSE","n":1}'
    group = '{"bufdir_category_code":"GROUP","n":2}'
    assert found(f"[{group}]", f"[{course},{group}]") == [("/COURSE", None, exact_json.loads(course))]
    assert found(f"[{course},{group}]", f"[{group},{course}]") == []


def test_elements_without_a_code_or_with_the_same_are_told_apart_by_position() -> None:
    twice = '[{"bufdir_category_code":"A","n":1},{"bufdir_category_code":"A","n":%d}]'
    assert found(twice % 2, twice % 3) == [("/1/n", 2, 3)]
    assert found("[1,2]", "[1,3]") == [("/1", 2, 3)]
