"""The console's words: the same keys in every language, each of them used, and no word outside the tables."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from local.requirements import ROOT, node_program

if TYPE_CHECKING:
    from pathlib import Path

CONSOLE = ROOT / "console"
TABLES = sorted((CONSOLE / "texts").glob("*.mjs"))
CODE = sorted(file for file in CONSOLE.rglob("*.mjs") if file not in TABLES)
# What each text is: its type, and for a function how many things it is told.
KEYS = """
    const shape = (value) => typeof value === "function" ? `function of ${value.length}`
        : typeof value === "string" ? "text"
        : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]));
    const tables = await Promise.all(process.argv.slice(1).map((file) => import(file)));
    console.log(JSON.stringify(tables.map((table) => shape(Object.values(table)[0]))));
"""


def node(*arguments: str) -> Any:
    done = subprocess.run(
        [str(node_program()), *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def stray(*files: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = node("tests/contract/console_texts.mjs", *map(str, files))
    return {file: words for file, words in found.items() if words}


def test_every_language_has_the_same_texts() -> None:
    norwegian, english = node("--input-type=module", "-e", KEYS, *(file.as_uri() for file in TABLES))
    assert [file.stem for file in TABLES] == ["en", "nb"]
    assert norwegian == english


# Looked up by what the data say.
BY_DATA = {"roles", "kinds", "reasons", "status", "verdict", "changed", "figures", "operations", "tables",
           "outcomes", "months", "columns", "problems", "nav", "pulse", "signed", "wrong"}  # fmt: skip


def test_every_text_is_used() -> None:
    table, _ = node("--input-type=module", "-e", KEYS, *(file.as_uri() for file in TABLES))
    code = "\n".join(file.read_text(encoding="utf-8") for file in CODE)

    def unused(group: dict[str, Any]) -> set[str]:
        of_groups = {
            key: each for key, each in group.items() if isinstance(each, dict) and key not in BY_DATA
        }
        found = {key for key in group if not re.search(rf'[."]{key}\b', code)}
        return found.union(*(unused(each) for each in of_groups.values()))

    assert unused(table) == set()


def test_every_problem_of_a_list_has_words() -> None:
    table, _ = node("--input-type=module", "-e", KEYS, *(file.as_uri() for file in TABLES))
    (migration,) = (ROOT / "supabase" / "migrations").glob("*_name_import_problems.sql")
    codes = set(re.findall(r"when '(\w+)'\s+then", migration.read_text(encoding="utf-8")))
    assert len(codes) > 30
    assert codes == set(table["imports"]["wrong"])


def test_no_word_is_outside_the_tables() -> None:
    assert len(CODE) > 15
    assert stray(*CODE) == {}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('h("p", null, "lag")', ["lag"]),
        ('h("p", null, `${number} lag, ${other} timer`)', [" lag, ", " timer"]),
        ('h("p", { class: "fresh wide", "aria-label": "antall" }, isOpen && "ja")', ["antall", "ja"]),
        ('note("good", row.code === "x" ? "bra" : "")', ["bra"]),
        ('const said = { label: "navn", show: () => "ukjent" }', ["navn", "ukjent"]),
        ('throw new Error("gikk ikke")', ["gikk ikke"]),
        ('const words = "Alle lag"', ["Alle lag"]),
        ('element.textContent = "vent"', ["vent"]),
    ],
)
def test_a_word_in_the_code_would_be_found(code: str, words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "code.mjs"
    file.write_text(code, encoding="utf-8")
    assert stray(file) == {str(file): words}
