"""The pages of the documentation, and the code that stands in them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "local/README.md", "tests/README.md", "tests/reference/*.md")
    for page in ROOT.glob(pattern)
)
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)\n(?P<code>(?:.*\n)*?)(?P=indent)```$", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    language : the first word of the info string.
    mark     : the second: `parsed` is not run, because it never ends or takes too long; `hosted` is not run
               either, because it is about a project on the platform.
    """

    page: Path
    line: int
    language: str
    mark: str
    code: str

    def __str__(self) -> str:
        """Say where it is, as an editor understands it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Give the fenced blocks of a page, in its order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, _, mark = match["info"].partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, mark, textwrap.dedent(match["code"])))
    return found


def inline(text: str) -> list[str]:
    """Give what stands between backticks in a line of prose."""
    return INLINE.findall(text)


def prose(page: Path) -> list[tuple[int, str]]:
    """Give the numbered lines of a page that are in no fenced block."""
    text = page.read_text(encoding="utf-8")
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    return list(enumerate(text.splitlines(), start=1))
