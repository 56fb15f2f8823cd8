"""The SQL in supabase/: files that are short and narrow enough to read, migrations and rollbacks in pairs."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SUPABASE = ROOT / "supabase"
MIGRATIONS = sorted((SUPABASE / "migrations").iterdir())
ROLLBACKS = sorted((SUPABASE / "rollbacks").iterdir())
PGTAP = sorted((SUPABASE / "tests").glob("*.test.sql"))
HELPERS = sorted((SUPABASE / "tests").glob("*.psql"))
MOST_COLUMNS = 100
MOST_LINES = 120  # one idea a migration
LONGER: dict[str, str] = {}  # a migration's name without its date → why it cannot be shorter
CREATED = re.compile(
    r"^ *create (?:or replace )?(?:function|table|view|materialized view|type)(?: if not exists)? "
    r"([a-z_.]+(?:\(public\.[a-z_]+\))?)",  # several functions of a name each take another relation's row
    flags=re.MULTILINE,
)
NAME = re.compile(r"\d{14}_[a-z]+(_[a-z0-9]+)+\.sql")  # YYYYMMDDHHMMSS_verb_object.sql
FUNCTION = re.compile(
    r"^ *create or replace function .*?(?=^(?:create|comment|drop|select|revoke)|\Z)",
    flags=re.MULTILINE | re.DOTALL,
)
TEST_ID = re.compile(r"'([A-Z]{2})-\d{2}\b")


def header(file: Path) -> str:
    """Return the comment at the top of a file, on one line."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def idea(file: Path) -> str:
    """Return a migration's name without its date: verb_object."""
    return file.stem.partition("_")[2]


def test_there_are_files_of_each_kind() -> None:
    assert all([MIGRATIONS, ROLLBACKS, PGTAP, HELPERS])


@pytest.mark.parametrize(
    "file",
    [*MIGRATIONS, *ROLLBACKS, *PGTAP, *HELPERS, SUPABASE / "seed.sql"],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_no_line_is_too_long_to_read(file: Path) -> None:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    assert [number for number, line in lines if len(line) > MOST_COLUMNS] == []


def test_a_migration_is_short() -> None:
    lines = {idea(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MIGRATIONS}
    assert [name for name in lines if lines[name] > MOST_LINES] == list(LONGER)


def test_each_object_is_defined_once() -> None:
    places = Counter(
        name for file in MIGRATIONS for name in set(CREATED.findall(file.read_text(encoding="utf-8")))
    )
    assert [name for name, files in places.items() if files > 1] == []


@pytest.mark.parametrize("file", MIGRATIONS, ids=idea)
def test_whoever_runs_with_the_owners_rights_says_why(file: Path) -> None:
    """docs/reference/definers.md has the whole register; this is the reason on the spot."""
    functions = FUNCTION.findall(file.read_text(encoding="utf-8"))
    assert [f for f in functions if "security definer" in f and "-- DEFINER: " not in f] == []


def test_numbers_of_pgtap_files_are_unique() -> None:
    numbers = [file.name.partition("_")[0] for file in PGTAP]
    assert len(numbers) == len(set(numbers))


def test_letters_of_pgtap_ids_are_explained_and_unique() -> None:
    """The first line of a file says what its letters stand for: `-- AU: the audit finds …`."""
    used: Counter[str] = Counter()
    for file in PGTAP:
        text = file.read_text(encoding="utf-8")
        letters = set(TEST_ID.findall(text))
        assert letters == set(re.findall(r"\b([A-Z]{2}): ", text.partition("\n")[0])), file.name
        used.update(letters)
    assert [letters for letters, files in used.items() if files > 1] == []


@pytest.mark.parametrize(
    "file", [*MIGRATIONS, *ROLLBACKS], ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_file_is_named_and_says_what_it_does(file: Path) -> None:
    assert NAME.fullmatch(file.name)
    text = header(file)
    order = [text.find(word) for word in ("Purpose: ", "Locks: ", "Data safety: ")]
    assert order[0] == 0
    assert -1 not in order
    assert order == sorted(order)


def test_every_migration_has_a_rollback_and_every_rollback_a_migration() -> None:
    assert [file.name for file in MIGRATIONS] == [file.name for file in ROLLBACKS]


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.name)
def test_rollback_names_everything_that_the_migration_creates(file: Path) -> None:
    """Whether triggers, policies and indexes are taken back as well shows when the rollbacks are run."""
    created = CREATED.findall(file.read_text(encoding="utf-8"))
    rollback = (ROOT / "supabase" / "rollbacks" / file.name).read_text(encoding="utf-8")
    assert [name for name in created if not re.search(rf"\b{re.escape(name)}(?!\w)", rollback)] == []


def test_versions_are_unique() -> None:
    versions = [file.name.partition("_")[0] for file in MIGRATIONS]
    assert len(versions) == len(set(versions))


@pytest.mark.parametrize("file", ROLLBACKS, ids=lambda file: file.name)
def test_rollback_can_be_run_twice_and_takes_nothing_along(file: Path) -> None:
    statements = re.sub(r"--.*", "", file.read_text(encoding="utf-8")).lower()
    assert "cascade" not in statements
    drops = re.findall(r"^drop .*", statements, flags=re.MULTILINE)
    assert [drop for drop in drops if not re.match(r"drop [a-z ]+ if exists ", drop)] == []
