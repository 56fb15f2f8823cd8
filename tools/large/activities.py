"""The activities of the large data set, one line of COPY text each, made one at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from tools.large.population import TYPES, Population, derived_id, type_id

if TYPE_CHECKING:
    from collections.abc import Iterator

YEARS_IN_DAYS = 730
CONTACTS = 20_000
NULL = r"\N"
COLUMNS = (
    "id",
    "organization_id",
    "unit_id",
    "peer_mentor_id",
    "coordinator_id",
    "activity_type_id",
    "occurred_at",
    "recorded_at",
    "inserted_at",
    "duration_minutes",
    "participant_count",
    "contact_id",
    "is_proxy_registered",
    "registered_by",
    "status",
)
INDIVIDUAL = frozenset({"conversation", "home_visit"})
STATUSES = ("registered",) * 95 + ("draft",) * 3 + ("rejected",) * 2


@dataclass(frozen=True)
class Request:
    """Which activities: how many, from which seed, the two years up to and including which day (UTC)."""

    rows: int
    seed: int
    until: dt.date

    def activity_id(self, n: int) -> str:
        """Return the id of the n-th activity, the same on every run."""
        text = f"{self.seed}/{self.until}/{self.rows}/{n}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def lines(request: Request, population: Population) -> Iterator[bytes]:
    """Yield the rows in the order of COLUMNS, oldest first, as they would have come in.

    The same request always gives the same lines. Memory does not grow with the number of rows.
    """
    draw = random.Random(f"{request.seed}/{request.until}/{request.rows}")
    pick, uniform = draw.choices, draw.random
    chapters, mentors_of = population.chapters, population.mentors_of
    coordinators = [population.coordinator_of(rank) for rank in range(len(chapters))]
    ranks, bounds = range(len(chapters)), list(accumulate(population.shares))
    types = [(type_id(code), code in INDIVIDUAL) for code, _ in TYPES]
    contacts = [derived_id(f"contact/{n}") for n in range(CONTACTS)]
    first_day = request.until - dt.timedelta(days=YEARS_IN_DAYS - 1)
    days = [(first_day + dt.timedelta(days=n)).isoformat() for n in range(YEARS_IN_DAYS + 8)]
    organization = population.organization_id
    for n in range(request.rows):
        rank = pick(ranks, cum_weights=bounds)[0]
        mentors, coordinator = mentors_of[rank], coordinators[rank]
        mentor = mentors[int(uniform() * len(mentors))]
        type_, individual = types[
            int(uniform() * uniform() * len(types))
        ]  # conversations are the most frequent
        day = n * YEARS_IN_DAYS // request.rows
        hour = 8 + int(uniform() * 13)
        by_proxy = uniform() < 1 / 6
        recorded_at = f"{days[day + int(uniform() * 8)]} 22:00Z"
        yield (
            "\t".join(
                (
                    request.activity_id(n),
                    organization,
                    chapters[rank],
                    mentor,
                    coordinator,
                    type_,
                    f"{days[day]} {hour:02}:00Z",
                    recorded_at,
                    recorded_at,
                    str(15 * (1 + int(uniform() * 12))),
                    "1" if individual else str(3 + int(uniform() * 12)),
                    contacts[int(uniform() * CONTACTS)] if individual else NULL,
                    "t" if by_proxy else "f",
                    coordinator if by_proxy else mentor,
                    STATUSES[int(uniform() * len(STATUSES))],
                )
            ).encode()
            + b"\n"
        )
