"""clients/ is what the CLI generates, says null exactly where the data layer does, and reads what comes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local.requirements import NODE_MODULES, node_directory
from tests.story.test_story import signed_in
from tools.data_types import FILES, HEADERS, documented, render

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from local.stack import Stack

TYPESCRIPT, PYTHON = FILES["typescript"], FILES["python"]
VIEWS = {name: columns for name, columns in documented().items() if not name.startswith("get_")}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("database_types", PYTHON)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # where pydantic looks for the names in annotations
    spec.loader.exec_module(loaded)
    return loaded


def test_the_files_are_current() -> None:
    """`make types` writes them."""
    assert {file: file.read_text(encoding="utf-8") for file in FILES.values()} == render()


def of_typescript(view: str) -> dict[str, str]:
    """Give the columns of a view with their types."""
    text = TYPESCRIPT.read_text(encoding="utf-8").partition("Views: {")[2]
    row = re.search(rf"^ +{view}: \{{\n +Row: \{{\n(.*?)\n +\}};$", text, re.MULTILINE | re.DOTALL)
    assert row, view
    return dict(re.findall(r"(\w+): ([^;]+);", row[1]))


@pytest.mark.parametrize("view", VIEWS)
def test_a_column_may_be_null_exactly_where_the_data_layer_says(view: str, module: ModuleType) -> None:
    never = {column for column, (_, null) in VIEWS[view].items() if null == "never"}
    types = of_typescript(view)
    assert types.keys() == VIEWS[view].keys()
    assert {column for column, type_ in types.items() if "null" not in type_} == never
    model = getattr(module, f"Public{view.title().replace('_', '')}")
    fields = model.model_fields
    assert {name for name, field in fields.items() if "Optional" not in str(field.annotation)} == never


@pytest.mark.parametrize("view", VIEWS)
def test_what_comes_is_read(stack: Stack, view: str, module: ModuleType) -> None:
    model = getattr(module, f"Public{view.title().replace('_', '')}")
    with signed_in(stack, "astrid@nhf.example") as astrid:
        rows: list[Any] = astrid.table(view).select("*").limit(50).execute().data
    assert rows
    for row in rows:
        read = model.model_validate(row)
        assert read.model_dump(mode="json").keys() == row.keys()


USE = """
import type {{ Database }} from "{types}";
type Row = Database["public"]["Views"]["chapter_stats"]["Row"];
export const hours = (row: Row): number => row.total_hours;
type Freshness = Database["public"]["Views"]["stats_freshness"]["Row"];
export const when = (row: Freshness): string => row.last_refreshed_at{mark};
"""


@pytest.mark.parametrize(("mark", "complaint"), [("!", ""), ("", "Type 'null' is not assignable")])
def test_typescript_asks_about_null_only_where_it_may_come(tmp_path: Path, mark: str, complaint: str) -> None:
    file = tmp_path / "use.ts"
    file.write_text(USE.format(types=TYPESCRIPT.with_suffix(""), mark=mark), encoding="utf-8")
    node = os.pathsep.join([str(node_directory()), os.environ["PATH"]])
    options = ["--noEmit", "--strict", "--target", "es2024", "--moduleResolution", "bundler"]
    options += ["--module", "esnext"]
    done = subprocess.run(
        [str(NODE_MODULES / ".bin" / "tsc"), *options, str(file)],
        cwd=tmp_path,
        env={**os.environ, "PATH": node},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) == bool(complaint), done.stdout
    assert complaint in done.stdout


def test_every_file_says_where_it_comes_from() -> None:
    for language, file in FILES.items():
        assert file.read_text(encoding="utf-8").startswith(HEADERS[language])
