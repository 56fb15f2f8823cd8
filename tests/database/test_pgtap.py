"""The database's own tests, run by `pg_prove` as `supabase test db` runs them: one test for each file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import postgres
from local.migrations import without_password
from local.requirements import ROOT

if TYPE_CHECKING:
    from local.stack import Stack

DIRECTORY = ROOT / "supabase" / "tests"
FILES = sorted(DIRECTORY.glob("*.test.sql"))
OPTIONS = ["--ext", ".pg", "--ext", ".sql", "-r"]  # those of the Supabase CLI


def prove(database_url: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run one test file, or every one in a directory, as the role in the URL."""
    url, password = without_password(database_url)
    return subprocess.run(
        ["pg_prove", *OPTIONS, "--dbname", url, str(path)],
        env={
            **os.environ,
            "PATH": f"{Path(postgres.program('psql')).parent}{os.pathsep}{os.environ['PATH']}",
            "PGPASSWORD": password,
            "PGOPTIONS": "--client-min-messages=warning",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.sql"))
def test_file_passes_alone(stack: Stack, file: Path) -> None:
    done = prove(stack.db_url, file)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Result: PASS" in done.stdout


def test_every_file_is_run() -> None:
    """The CLI runs every *.sql of the directory, so there must be none that this module overlooks."""
    assert sorted(path for path in DIRECTORY.rglob("*") if path.suffix in {".sql", ".pg"}) == FILES
    assert FILES


@pytest.mark.parametrize(
    ("statements", "complaint"),
    [
        pytest.param(
            "select plan(1); select is(1, 2, 'one is two');", 'Failed test 1: "one is two"', id="wrong-result"
        ),
        pytest.param(
            "select plan(2); select pass('alone');",
            "Bad plan.  You planned 2 tests but ran 1.",
            id="test-left-out",
        ),
        pytest.param("select plan(1); select 1 / 0;", "Non-zero exit status: 3", id="error"),
    ],
)
def test_file_that_should_fail_fails(stack: Stack, tmp_path: Path, statements: str, complaint: str) -> None:
    file = tmp_path / "00_wrong.test.sql"
    helpers = DIRECTORY / "helpers.psql"
    file.write_text(
        f"begin;\n\\ir {helpers}\n{statements}\nselect * from finish();\nrollback;\n", encoding="utf-8"
    )
    done = prove(stack.db_url, file)
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr
