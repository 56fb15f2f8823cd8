"""The code in the documentation does what the page says, run as it stands on a stack of its own.

sh     : the blocks of a page are one shell session, in their order. A ```json block right below one shows its
         answer, and has the fields that came.
sql    : each block is run by the owner of the database and rolled back.
python : is quoted from the functions.
dart   : the relations and functions that it calls exist, with these parameters.
Of blocks marked `parsed` or `hosted` only the syntax is checked here;
tests/contract/test_documented_commands.py has the CLI parse the commands in them.
"""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import jwt
import psycopg
import pytest

from local import database, migrations
from local.requirements import ROOT
from tests.resilience.own_cluster import empty_cluster
from tests.support import documents
from tests.support.people import sign_in, try_to_sign_in
from tests.support.stacks import own_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack
    from tests.support.documents import Block

BLOCKS = [block for page in documents.PAGES for block in documents.blocks(page)]
SHELL = [block for block in BLOCKS if block.language == "sh"]
DEPLOY = [block for block in SHELL if block.page.name == "deploy.md"]
END = "---- end of a block ----"
# A refused call ends the session, as a failed command does.
PROLOGUE = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack in the folder `.stack`, where readers have it."""
    with own_stack(tmp_path_factory, "checkout") as stack:
        yield stack


def run_shell(blocks: list[Block], folder: Path) -> list[str]:
    """Run blocks as one session. Returns what each printed; fails at the one that ends badly."""
    script = PROLOGUE + "".join(f"{block.code}\nprintf '\\n%s\\n' '{END}'\n" for block in blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout.split(f"\n{END}\n")
    assert done.returncode == 0, f"{blocks[len(printed) - 1]}: {printed[-1]}{done.stderr}"
    return printed[:-1]


def fields(answer: object) -> set[str]:
    """Give the names in an answer; of what a function wraps in `data`, those inside."""
    assert isinstance(answer, dict), answer
    inside = answer.get("data", answer)
    assert isinstance(inside, dict), answer
    return set(inside)


@pytest.mark.parametrize(
    "page", sorted({block.page for block in SHELL if not block.mark}), ids=lambda page: str(page.name)
)
def test_shell_blocks_run_and_answer_as_shown(own: Stack, page: Path) -> None:
    session = [block for block in SHELL if block.page == page and not block.mark]
    printed = dict(zip(session, run_shell(session, own.instance.state_dir.parent), strict=True))
    shown = [
        (call, answer)
        for call, answer in pairwise(documents.blocks(page))
        if call in printed and answer.language == "json"
    ]
    assert shown
    for call, answer in shown:
        assert fields(json.loads(answer.code)) == fields(json.loads(printed[call])), str(answer)


def test_a_failing_block_is_named(tmp_path: Path) -> None:
    right, wrong = (
        documents.Block(ROOT / "docs" / "page.md", line, "sh", "", code)
        for line, code in ((3, "X=1"), (9, "test $X = 2"))
    )
    assert run_shell([right], tmp_path) == [""]
    with pytest.raises(AssertionError, match=r"docs/page\.md:9: "):
        run_shell([right, wrong], tmp_path)


@pytest.mark.parametrize("block", [block for block in SHELL if block.mark], ids=str)
def test_shell_blocks_that_are_not_run_are_shell(block: Block) -> None:
    parsed = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, check=False)
    assert (parsed.returncode, parsed.stderr) == (0, "")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sql"], ids=str)
def test_sql_blocks_run(own: Stack, block: Block) -> None:
    assert not block.mark, "SQL is always run"
    with psycopg.connect(own.db_url) as connection:
        connection.execute("set local statement_timeout = '60s'")
        cursor = connection.execute(block.code.encode())
        ended = [cursor.statusmessage]
        while cursor.nextset():
            ended.append(cursor.statusmessage)
        connection.rollback()
    assert {"INSERT 0 0", "UPDATE 0", "DELETE 0"}.isdisjoint(ended), (
        "an example that meets no row shows nothing"
    )


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "json"], ids=str)
def test_json_blocks_are_json(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_python_blocks_are_quoted_from_the_functions(block: Block) -> None:
    sources = (ROOT / "functions").rglob("*.py")
    quoted = textwrap.dedent(block.code)
    assert any(quoted in source.read_text(encoding="utf-8") for source in sources)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "dart"], ids=str)
def test_dart_blocks_call_what_exists(own: Stack, block: Block) -> None:
    relations = re.findall(r"\.from\('(\w+)'\)", block.code)
    calls = re.findall(r"\.rpc\('(\w+)'(?:, params: \{(.*?)\})?", block.code)
    slugs = re.findall(r"\.invoke\('([\w-]+)'", block.code)
    parameters = (
        "select proargnames::text[] from pg_proc where proname = %s and pronamespace = 'public'::regnamespace"
    )
    with psycopg.connect(own.db_url) as connection:
        for relation in relations:
            assert connection.execute("select to_regclass('public.' || %s)", [relation]).fetchone() != (None,)
        for name, given in calls:
            row = connection.execute(parameters, [name]).fetchone()
            assert row, name
            assert set(re.findall(r"'(\w+)':", given)) <= set(row[0] or []), name
    for slug in slugs:
        assert (ROOT / "functions" / f"{slug.replace('-', '_')}.py").exists(), slug


def test_the_deploy_page_pushes_to_an_empty_database() -> None:
    """The page's own command, with the address of a database where it says which project."""
    pushes = [
        line.split()[2:]
        for block in DEPLOY
        for line in block.code.splitlines()
        if line.startswith("npx supabase db push")
    ]
    arguments = pushes[-1]
    assert arguments == ["db", "push", "--remote"]
    with empty_cluster("pushed") as cluster:
        database.install_platform(cluster.instance)
        assert migrations.applied(cluster.url) == []
        migrations.supabase(*arguments[:-1], "--yes", database_url=cluster.url)  # adds --remote=<url>
        files = sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
        assert migrations.applied(cluster.url) == [file.name.partition("_")[0] for file in files]


def test_a_person_invited_by_sql_signs_in(own: Stack) -> None:
    invitation = next(block for block in BLOCKS if "insert into auth.users" in block.code)
    assert try_to_sign_in(own, "new@nhf.example").status_code == 400
    with psycopg.connect(own.db_url) as connection:
        connection.execute(invitation.code.encode())
    person = sign_in(own, "new@nhf.example")
    url = f"{own.rest_url}/profiles?select=display_name,role&id=eq.{person.user_id}"
    profiles = httpx.get(url, headers=person.headers, trust_env=False).json()
    assert profiles == [{"display_name": "New Likeperson", "role": "peer_mentor"}]


def jwt_subject(token: str) -> str:
    subject = jwt.decode(token, options={"verify_signature": False})["sub"]
    assert isinstance(subject, str)
    return subject
