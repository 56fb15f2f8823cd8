"""`make dart-client`: every function is a method, and what is never null is not nullable."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tools import dart_client
from tools.openapi import FILE

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate it; needs the network where the generator is not installed yet."""
    dart_client.install()
    folder = tmp_path_factory.mktemp("dart") / "client"
    dart_client.generate(folder)
    return folder


def in_dart(name: str) -> str:
    """An identifier as Dart has it."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_every_operation_is_a_method(client: Path) -> None:
    api = (client / "lib" / "api" / "functions_api.dart").read_text(encoding="utf-8")
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(operations) > 8
    for operation in operations:
        method = re.search(rf"Future<(\w+)\?> {in_dart(operation['operationId'])}\(", api)
        assert method, operation["operationId"]
        content = operation["responses"]["200"]["content"]
        # text alone is a file
        schema = content.get("application/json", {"schema": {"$ref": "MultipartFile"}})["schema"]
        assert method[1] == schema["$ref"].rpartition("/")[2]


@pytest.mark.parametrize("name", ["HierarchyPayload", "StatusReport", "RefreshReport", "Figures"])
def test_fields_are_nullable_where_they_may_be_null(client: Path, name: str) -> None:
    file = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    text = (client / "lib" / "model" / f"{file}.dart").read_text(encoding="utf-8")
    declared = dict(re.findall(r"^  (?:final )?[\w<>, ]+?(\??) (\w+);$", text, re.MULTILINE))
    declared = {field: mark for mark, field in re.findall(r"^  [\w<>, ]+?(\??) (\w+);$", text, re.MULTILINE)}
    schema = DOCUMENT["components"]["schemas"][name]
    for field, kind in schema["properties"].items():
        may_be_null = any(one.get("type") == "null" for one in kind.get("anyOf", []))
        assert declared[in_dart(field)] == ("?" if may_be_null else ""), field
