"""The reviewed table: docs/reference/privileges.md, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from local.requirements import ROOT
from tests.database.privileges.cast import KINDS

COLUMN_CELLS = 4  # object, hidden, inserted, updated
FILE = ROOT / "docs" / "reference" / "privileges.md"


@dataclass(frozen=True)
class Line:
    """What becomes of some verbs on one object, for each kind of caller."""

    name: str
    verbs: tuple[str, ...]
    outcomes: dict[str, str]

    @property
    def is_function(self) -> bool:
        return self.name.startswith("rpc/")

    def __str__(self) -> str:
        cells = [f"`{self.name}`", " ".join(self.verbs), *(self.outcomes[kind] for kind in KINDS)]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Columns:
    """Which columns of a relation signed-in people do not read, and which they write."""

    hidden: frozenset[str] = frozenset()
    inserted: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()


def read() -> list[Line]:
    """Read what each verb comes to; a row with a cell too many or too few raises."""
    return [
        Line(name, tuple(verbs.split()), dict(zip(KINDS, outcomes, strict=True)))
        for name, verbs, *outcomes in _rows(is_of_columns=False)
    ]


def read_columns() -> dict[str, Columns]:
    """Read the columns that are not as usual, by relation."""
    return {
        name: Columns(*(frozenset(cell.replace("none", "").split()) for cell in cells))
        for name, *cells in _rows(is_of_columns=True)
    }


def _rows(*, is_of_columns: bool) -> list[list[str]]:
    """Every row that begins with an object's name, without the quotes."""
    texts = (text for text in FILE.read_text(encoding="utf-8").splitlines() if text.startswith("| `"))
    rows = [[cell.strip(" `") for cell in text.strip("|").split("|")] for text in texts]
    return [row for row in rows if (len(row) == COLUMN_CELLS) == is_of_columns]
