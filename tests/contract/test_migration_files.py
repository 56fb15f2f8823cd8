"""Migrations and their rollbacks: named alike, in pairs, each saying what it does to a running database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MIGRATIONS = sorted((ROOT / "supabase" / "migrations").iterdir())
ROLLBACKS = sorted((ROOT / "supabase" / "rollbacks").iterdir())
CREATED = re.compile(
    r"^ *create (?:or replace )?(?:function|table|view|materialized view|type)(?: if not exists)? "
    r"([a-z_.]+)",
    flags=re.MULTILINE,
)
NAME = re.compile(r"\d{14}_[a-z]+(_[a-z0-9]+)+\.sql")  # YYYYMMDDHHMMSS_verb_object.sql


def header(file: Path) -> str:
    """Return the comment at the top of a file, on one line."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def test_there_are_migrations() -> None:
    assert MIGRATIONS


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
    assert [name for name in created if not re.search(rf"\b{re.escape(name)}\b", rollback)] == []


def test_versions_are_unique() -> None:
    versions = [file.name.partition("_")[0] for file in MIGRATIONS]
    assert len(versions) == len(set(versions))


@pytest.mark.parametrize("file", ROLLBACKS, ids=lambda file: file.name)
def test_rollback_can_be_run_twice_and_takes_nothing_along(file: Path) -> None:
    statements = re.sub(r"--.*", "", file.read_text(encoding="utf-8")).lower()
    assert "cascade" not in statements
    drops = re.findall(r"^drop .*", statements, flags=re.MULTILINE)
    assert [drop for drop in drops if not re.match(r"drop [a-z ]+ if exists ", drop)] == []
