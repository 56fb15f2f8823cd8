"""Each Dart block of docs/howto/flutter.md asks for what its twin sends to the stack, by supabase-js."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from local.requirements import ROOT, node_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PAGE = ROOT / "docs" / "howto" / "flutter.md"
TWINS = ROOT / "tests" / "contract" / "app_calls.mjs"
BLOCK = re.compile(
    r"^(?:<!-- call: (?P<name>[\w-]+) -->\n)?```dart\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
BLOCKS = {
    match["name"]: re.sub(r"'\n +'", "", match["code"])  # adjacent literals are one
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
}
# Names of relations, columns, functions, lists to select: what the request is made of.
SAID = re.compile(r"'([a-z][a-z0-9_*(), !:-]*|\*.*?)'")
# What Dart says otherwise, or only people read.
OTHERWISE = {"apikey", "data", "ola@nhf.example", "password"}
# Closed chapters and locked years concern others, too: pgTAP *_activity_people and *_reporting_years.
ELSEWHERE = {"the chapter was closed by then", "the year is locked"}


def twins() -> dict[str, str]:
    text = TWINS.read_text(encoding="utf-8")
    parts = re.split(r'^  async "?([\w-]+)"?\(', text.partition("const calls = {")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_block_has_a_name_and_a_twin() -> None:
    assert None not in BLOCKS
    assert list(BLOCKS) == list(twins())


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_says_nothing_that_its_twin_does_not_ask_for(name: str) -> None:
    twin = re.sub(r"\s+", " ", twins()[name]) + (
        TWINS.read_text(encoding="utf-8") if name == "sign-in" else ""
    )
    said = set(SAID.findall(BLOCKS[name])) - OTHERWISE
    lacking = {
        each for each in said if f'"{each}"' not in twin and not re.search(rf"\b{re.escape(each)}\b", twin)
    }
    assert lacking == set()


def test_every_refusal_that_the_page_tells_apart_by_its_words_is_met() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("### In people's words\n")[2].partition("\n<!--")[0]
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| 4")]
    said = {
        word
        for row in rows
        for word in re.findall(r'"([^"]+)"|`((?:activities|expense_claims)_[a-z_0-9]+)`', row)
    }
    words = {quoted or name for quoted, name in said} - ELSEWHERE
    assert len(words) > 7
    assert {each for each in words if f'"{each}"' not in twins()["errors"] + twins()["expense"]} == set()


@pytest.fixture
def withdrawn(stack: Stack) -> Iterator[None]:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield
        # what was approved stays with its activity, which is withdrawn here
        connection.execute("delete from public.expense_claims where amount_nok = 125.50")
        connection.execute(
            "delete from public.activities a using auth.users u where u.email = 'ola@nhf.example'"
            " and a.peer_mentor_id = u.id and a.recorded_at > now() - interval '10 minutes'"
        )


@pytest.mark.usefixtures("withdrawn")
def test_every_twin_gets_what_the_page_says(stack: Stack) -> None:
    program = node_program()
    assert program
    done = subprocess.run(
        [program, TWINS, *BLOCKS],
        cwd=ROOT,
        env={
            **os.environ,
            "SUPABASE_URL": stack.api_url,
            "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
            "FUNCTIONS_URL": f"http://127.0.0.1:{stack.instance.ports.functions}/functions/v1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.split() == list(BLOCKS)
