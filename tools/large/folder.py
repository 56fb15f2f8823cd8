"""`make large-folder DIR=…`: the large organisation as a folder of CSV files, for `make onboard`.

The same arguments always give the same files. Its slug is another one than that of `make seed-large`.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import random
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from tools.large.activities import CONTACTS, INDIVIDUAL, STATUSES, YEARS_IN_DAYS
from tools.large.population import CATEGORIES, CHAPTERS_PER_COORDINATOR, SLUG, TYPES, Population
from tools.large.seed import DEFAULT_ROWS, DEFAULT_UNTIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tools.large.population import Person

FOLDER_SLUG = "nhf-onboarded"
NAME = "Norges Handikapforbund (onboarded)"
LIMIT = 12 * 60
"""Of one person's minutes on one day: what is made up stays far below what a day has."""


def write(path: Path, rows: int, until: dt.date = DEFAULT_UNTIL, chapters: int | None = None) -> None:
    """Write all files; `chapters` leaves out the smaller ones, with their people."""
    path.mkdir(parents=True, exist_ok=True)
    population = Population()
    names = {unit.id: unit.name for unit in population.units}
    kept = set(population.chapters[:chapters])
    units = [unit for unit in population.units if unit.kind != "local" or unit.id in kept]
    people = [person for person in population.people if not person.chapters or kept & {*person.chapters}]
    _file(
        path / "organization.csv",
        ("slug", "name", "max_chapter_assignments"),
        [(FOLDER_SLUG, NAME, CHAPTERS_PER_COORDINATOR)],
    )
    _file(
        path / "units.csv",
        ("unit", "kind", "parent"),
        ((unit.name, unit.kind, names.get(unit.parent_id or "", "")) for unit in units),
    )
    _file(
        path / "people.csv",
        ("email", "name", "role", "chapters"),
        (
            (
                address(person),
                person.name,
                person.role,
                ";".join(names[id_] for id_ in person.chapters if id_ in kept),
            )
            for person in people
        ),
    )
    _file(path / "types.csv", ("code", "label"), TYPES)
    mapping = ((1, 2000, code, category) for code, category in CATEGORIES.items())
    _file(path / "mapping.csv", ("version", "valid_from_year", "type", "category"), mapping)
    thresholds = ((until.year, category, rows // 10) for category in sorted({*CATEGORIES.values()}))
    _file(path / "thresholds.csv", ("valid_from_year", "category", "minimum"), thresholds)
    rules = [("course", f"{until.year - 1}-01-01", 3, "an example, not Bufdir's")]
    _file(path / "rules.csv", ("type", "valid_from", "min_participants", "source"), rules)
    _file(path / "activities.csv", COLUMNS, _activities(population, rows, until, len(kept)))


COLUMNS = (
    "reference",
    "date",
    "time",
    "type",
    "chapter",
    "peer_mentor",
    "minutes",
    "participants",
    "contact",
    "registered_by",
    "status",
)


def address(person: Person) -> str:
    """Give a person's address in this organisation."""
    return person.email.replace(f"@{SLUG}.", f"@{FOLDER_SLUG}.")


def _activities(
    population: Population, rows: int, until: dt.date, chapters: int
) -> Iterator[tuple[object, ...]]:
    """Yield the oldest first; nobody does more on a day than there can be."""
    draw = random.Random(f"{until}/{rows}")
    mentors: list[list[str]] = [[] for _ in population.chapters]
    ranks = {chapter: rank for rank, chapter in enumerate(population.chapters)}
    for person in population.mentors:
        for chapter in person.chapters:
            mentors[ranks[chapter]].append(address(person))
    names = {unit.id: unit.name for unit in population.units}
    bounds = list(accumulate(population.shares[:chapters]))
    day = until
    minutes: dict[str, int] = {}
    for n in range(rows):
        today = until - dt.timedelta(days=YEARS_IN_DAYS - 1 - n * YEARS_IN_DAYS // rows)
        if today != day:
            day, minutes = today, dict.fromkeys(map(address, population.mentors), 0)
        rank = draw.choices(range(chapters), cum_weights=bounds)[0]
        # whoever has done the least of this day, of a few
        mentor = min(draw.choices(mentors[rank], k=3), key=lambda email: minutes[email])
        length = min(15 * (1 + int(draw.random() * 12)), LIMIT - minutes[mentor])
        if length < 15:
            length = 1
        minutes[mentor] += length
        code = TYPES[int(draw.random() ** 2 * len(TYPES))][0]
        individual = code in INDIVIDUAL
        yield (
            f"{n + 1}",
            day.isoformat(),
            f"{8 + int(draw.random() * 13):02}:00",
            code,
            names[population.chapters[rank]],
            mentor,
            length,
            1 if individual else 3 + int(draw.random() * 12),
            f"contact {int(draw.random() * CONTACTS)}" if individual else "",
            address(population.coordinators[rank % len(population.coordinators)])
            if draw.random() < 1 / 6
            else "",
            draw.choice(STATUSES),
        )


def _file(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.large.folder", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="activities (default %(default)s)")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.rows)
    print(f"{arguments.rows:,} activities of {FOLDER_SLUG} in {arguments.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
