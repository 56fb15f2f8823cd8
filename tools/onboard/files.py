"""Reads the folder: every line of every file, and every problem with one."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from tools.onboard.rows import (
    Activity,
    ActivityType,
    Mapping,
    Organization,
    Person,
    Row,
    Rule,
    Threshold,
    Unit,
    columns,
)

if TYPE_CHECKING:
    from pathlib import Path

R = TypeVar("R", bound=Row)
MODELS = (Organization, Unit, Person, ActivityType, Mapping, Threshold, Rule, Activity)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, and where."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Say it as an editor understands it."""
        return f"{self.file}:{self.line}: {self.what}"


def problem(row: Row, what: str) -> Problem:
    """Say what is wrong with a line."""
    return Problem(row.FILE, row.line, what)


@dataclass(frozen=True)
class Folder:
    """All lines that could be read, in their order."""

    organizations: list[Organization] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    types: list[ActivityType] = field(default_factory=list)
    mappings: list[Mapping] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    unread: dict[str, set[str] | None] = field(default_factory=dict)
    """By file, what lines are about that could not be read, so that it is not said to be missing; None where
    that cannot be known."""

    def unread_names(self, model: type[Row]) -> set[str]:
        """Give what unreadable lines of a file are about."""
        return self.unread.get(model.FILE) or set()


def read(path: Path) -> tuple[Folder, list[Problem]]:
    """Read all files of a folder. Only the organisation's has to be there.

    Raises FileNotFoundError if the folder is not.
    """
    problems: list[Problem] = []
    known = {model.FILE for model in MODELS}
    others = sorted(
        file.name for file in path.iterdir() if file.suffix.lower() == ".csv" and file.name not in known
    )
    called = f"is not read; files are called {', '.join(sorted(known))}"
    problems += [Problem(other, 1, called) for other in others]
    if not (path / Organization.FILE).exists():
        problems.append(Problem(Organization.FILE, 1, "the file is missing"))
    reader = _Reader(path, problems)
    folder = Folder(
        reader.rows(Organization),
        reader.rows(Unit),
        reader.rows(Person),
        reader.rows(ActivityType),
        reader.rows(Mapping),
        reader.rows(Threshold),
        reader.rows(Rule),
        reader.rows(Activity),
        reader.unread,
    )
    return folder, problems


@dataclass
class _Reader:
    """Reads one file after the other, and collects what is wrong."""

    path: Path
    problems: list[Problem]
    unread: dict[str, set[str] | None] = field(default_factory=dict)

    def rows(self, model: type[R]) -> list[R]:
        """Read a file; one that is not there has no lines."""
        file = self.path / model.FILE
        self.unread[model.FILE] = set()
        if not file.exists():
            return []
        before = len(self.problems)
        names, lines = self._lines(file.read_bytes(), model)
        if len(self.problems) > before:
            self.unread[model.FILE] = None
            return []
        return [row for line, cells in lines if (row := self._row(line, cells, names, model))]

    def _lines(self, content: bytes, model: type[Row]) -> tuple[list[str], list[tuple[int, list[str]]]]:
        """Give the columns, and each record with the number of its first line; empty ones are none."""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.problems.append(Problem(model.FILE, line, "is not UTF-8: save it as “CSV UTF-8”"))
            return [], []
        if "\0" in text:
            line = text[: text.index("\0")].count("\n") + 1
            self.problems.append(Problem(model.FILE, line, "holds a character that cannot be stored"))
            return [], []
        first = text.partition("\n")[0]
        separator = next((mark for mark in ";\t" if mark in first), ",")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        found: list[tuple[int, list[str]]] = []
        line = 1
        try:
            for cells in reader:
                if line == 1 or any(cell.strip() for cell in cells):
                    found.append((line, cells))
                line = reader.line_num + 1
        except csv.Error as error:
            self.problems.append(Problem(model.FILE, line, f"cannot be read from here on: {error}"))
        names = [name.strip().lower() for name in found[0][1]] if found else []
        self.problems += [Problem(model.FILE, 1, what) for what in _wrong_columns(names, columns(model))]
        return names, found[1:]

    def _row(self, line: int, cells: list[str], names: list[str], model: type[R]) -> R | None:
        values = {name: value for name, cell in zip(names, cells, strict=False) if (value := cell.strip())}
        wrong: list[str] = []
        if len(cells) > len(names):
            wrong = [
                f"{len(cells)} cells in {len(names)} columns: put quotes around what has a separator in it"
            ]
        else:
            try:
                return model.model_validate({**values, "line": line})
            except ValidationError as error:
                wrong = [_said(str(each["loc"][0]), each["type"], each["msg"]) for each in error.errors()]
        self.problems += [Problem(model.FILE, line, what) for what in wrong]
        unread = self.unread[model.FILE]
        if unread is not None and model.KEY:
            unread.add(values.get(model.KEY, ""))
        return None


def _wrong_columns(names: list[str], wanted: dict[str, bool]) -> list[str]:
    missing = [name for name, is_required in wanted.items() if is_required and name not in names]
    unknown = [name for name in names if name not in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        *(f"the column {name} is missing" for name in missing),
        *(
            f"there is no column {name or 'without a name'}; there are {', '.join(wanted)}"
            for name in unknown
        ),
        *(f"the column {name} is there more than once" for name in twice),
    ]


def _said(column: str, kind: str, message: str) -> str:
    """Put an error in a user's words; never with the value, which may be personal."""
    words = {
        "missing": "is missing",
        "string_too_long": "is too long",
        "int_parsing": "must be a whole number",
        "decimal_parsing": "must be a number such as 0.8",
        "date_from_datetime_parsing": "is no day of the calendar",
        "date_parsing": "is no day of the calendar",
        "time_parsing": "is no time of day",
    }
    message = message.replace("Input should be", "must be")
    return f"{column} {words.get(kind, message)}"
