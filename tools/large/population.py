"""The organisation of the large data set: its tree, its people, and how activity spreads over its chapters.

Nothing here depends on the seed: two data sets of different seeds or sizes have the same organisation.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from functools import cached_property

SLUG = "nhf-large"
NAME = "Norges Handikapforbund (large)"
REGIONS = 9
DISTRICTS = 36
CHAPTERS = 1400
CHAPTERS_PER_COORDINATOR = 5
EXTRA_MENTORS = 3000  # beyond the one that every chapter has, spread by size
SECOND_CHAPTER_EVERY = 10  # one peer mentor in ten also works in the next smaller chapter
POWER = 0.8  # the chapter of rank r has a share proportional to r ** -POWER
TYPES = (
    ("conversation", "Likepersonsamtale"),
    ("home_visit", "Hjemmebesøk"),
    ("group_meeting", "Gruppemøte"),
    ("course", "Kurs"),
    ("social_cafe", "Sosial kafé"),
)
CATEGORIES = {
    "conversation": "INDIVIDUAL",
    "home_visit": "INDIVIDUAL",
    "group_meeting": "GROUP",
    "course": "COURSE",
}


def derived_id(name: str) -> str:
    """Return the uuid that a name always has."""
    return str(uuid.UUID(hashlib.md5(f"fersk/{SLUG}/{name}".encode(), usedforsecurity=False).hexdigest()))


@dataclass(frozen=True)
class Unit:
    """A row of organization_units."""

    id: str
    parent_id: str | None
    kind: str
    name: str


@dataclass(frozen=True)
class Person:
    """A row of profiles with its sign-in; chapters are unit ids, the primary one first."""

    id: str
    email: str
    role: str
    name: str
    chapters: tuple[str, ...] = ()


class Population:
    """The whole organisation, made once; every list is in a fixed order, chapters from large to small."""

    organization_id = derived_id("organization")

    @cached_property
    def shares(self) -> list[float]:
        """Each chapter's part of all activity, by rank; they sum to 1."""
        weights = [rank**-POWER for rank in range(1, CHAPTERS + 1)]
        total = sum(weights)
        return [weight / total for weight in weights]

    @cached_property
    def units(self) -> list[Unit]:
        """The tree, parents before children: national, regions, districts, chapters."""
        root = Unit(derived_id("national"), None, "national", "NHF")
        regions = [
            Unit(derived_id(f"region/{n}"), root.id, "region", f"Region {n + 1}") for n in range(REGIONS)
        ]
        districts = [
            Unit(derived_id(f"district/{n}"), regions[n % REGIONS].id, "district", f"District {n + 1}")
            for n in range(DISTRICTS)
        ]
        # neighbours in rank lie in different districts, so that no region has all the large ones
        chapters = [
            Unit(derived_id(f"chapter/{n}"), districts[n % DISTRICTS].id, "local", f"Chapter {n + 1}")
            for n in range(CHAPTERS)
        ]
        return [root, *regions, *districts, *chapters]

    @cached_property
    def chapters(self) -> list[str]:
        """Chapter ids, the largest first."""
        return [unit.id for unit in self.units if unit.kind == "local"]

    @cached_property
    def coordinators(self) -> list[Person]:
        """Each with five chapters, one from every fifth of the ranking."""
        count = CHAPTERS // CHAPTERS_PER_COORDINATOR
        return [
            _person("coordinator", n, "Koordinator", tuple(self.chapters[n::count])) for n in range(count)
        ]

    @cached_property
    def mentors(self) -> list[Person]:
        """At least one for every chapter, more in large ones."""
        mentors: list[Person] = []
        for rank, share in enumerate(self.shares):
            for _ in range(1 + round(share * EXTRA_MENTORS)):
                n = len(mentors)
                reach = 2 if n % SECOND_CHAPTER_EVERY == 0 else 1
                mentors.append(
                    _person("peer_mentor", n, "Likeperson", tuple(self.chapters[rank : rank + reach]))
                )
        return mentors

    @cached_property
    def people(self) -> list[Person]:
        """Everybody: one administrator, the coordinators, the peer mentors."""
        admin = Person(derived_id("person/admin"), f"admin@{SLUG}.example", "org_admin", "Administrator")
        return [admin, *self.coordinators, *self.mentors]

    @cached_property
    def mentors_of(self) -> list[list[str]]:
        """The ids of the peer mentors of each chapter, by rank."""
        ranks = {chapter: rank for rank, chapter in enumerate(self.chapters)}
        result: list[list[str]] = [[] for _ in self.chapters]
        for mentor in self.mentors:
            for chapter in mentor.chapters:
                result[ranks[chapter]].append(mentor.id)
        return result

    def coordinator_of(self, rank: int) -> str:
        """Return the id of the coordinator who follows up the chapter of this rank."""
        return self.coordinators[rank % len(self.coordinators)].id


def type_id(code: str) -> str:
    """Return the id of an activity type of this organisation."""
    return derived_id(f"type/{code}")


def _person(role: str, n: int, title: str, chapters: tuple[str, ...]) -> Person:
    label = role.rpartition("_")[2]
    return Person(
        derived_id(f"person/{label}/{n}"),
        f"{label}-{n + 1}@{SLUG}.example",
        role,
        f"{title} {n + 1}",
        chapters,
    )
