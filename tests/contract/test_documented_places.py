"""What the documentation points to is there: pages, headings, files. And every page can be found."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from local.requirements import ROOT
from tests.support import documents

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\((?P<target>[^)\s]*)\)")
OURS = re.compile(r"(?:bench|console|docs|functions|local|supabase|tests|tools)/[\w./*-]*|\.ci/[\w-]+")
CODE = {".py", ".sql", ".mjs"}
MAP = ROOT / "docs" / "README.md"


@cache
def anchors(page: Path) -> frozenset[str]:
    """What GitHub makes of the headings of a page."""
    headings = (line.lstrip("#").strip() for _, line in documents.prose(page) if line.startswith("#"))
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def links(page: Path) -> list[tuple[int, str]]:
    """The links of a page within the repository, each with its line."""
    found = [
        (number, match["target"])
        for number, line in documents.prose(page)
        for match in LINK.finditer(re.sub(r"`[^`]*`", "", line))
    ]
    return [(number, target) for number, target in found if not re.match(r"[a-z]+:", target)]


def is_there(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    aim = (page.parent / path).resolve() if path else page
    return aim.exists() and (not anchor or (aim.suffix == ".md" and anchor in anchors(aim)))


@pytest.mark.parametrize("page", documents.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [f"{page}:{number} {target}" for number, target in links(page) if not is_there(page, target)] == []


def test_a_dead_link_is_seen() -> None:
    assert is_there(MAP, "explain/glossary.md#code")
    assert not is_there(MAP, "explain/glossary.md#nowhere")
    assert not is_there(MAP, "explain/nothing.md")
    assert not is_there(MAP, "reference/contracts#code")


@pytest.mark.parametrize("page", documents.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {
        code for _, line in documents.prose(page) for code in documents.inline(line) if OURS.fullmatch(code)
    }
    assert [name for name in sorted(named) if not list(ROOT.glob(name.rstrip("/")))] == []


def test_every_page_that_code_names_exists() -> None:
    folders = ("functions", "local", "supabase", "tests", "tools", "bench")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*") if file.suffix in CODE]
    named = {
        (str(file.relative_to(ROOT)), page)
        for file in files
        for page in re.findall(r"docs/[\w./-]+?\.(?:md|json)", file.read_text(encoding="utf-8"))
    }
    assert ("tests/database/test_definers.py", "docs/reference/definers.md") in named
    assert [(file, page) for file, page in sorted(named) if not (ROOT / page).exists()] == []


def test_the_map_leads_to_every_page() -> None:
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page != MAP}
    assert {(MAP.parent / target).resolve() for _, target in links(MAP)} >= pages
    assert (ROOT / "README.md", "docs/README.md") in [
        (ROOT / "README.md", target) for _, target in links(ROOT / "README.md")
    ]
