"""A line of each file, and what may stand in it. What lines say of each other is in `checks.py`."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

KINDS = ("national", "region", "district", "local")
FIRST_YEAR, LAST_YEAR = 2000, 2099


def _like(pattern: str, words: str) -> BeforeValidator:
    """Refuse a text of another form, in words."""
    wanted = re.compile(pattern)

    def check(value: object) -> object:
        if isinstance(value, str) and not wanted.fullmatch(value):
            raise PydanticCustomError("form", "must be {words}", {"words": words})
        return value

    return BeforeValidator(check)


def _yes(value: object) -> object:
    if isinstance(value, str):
        if value.lower() not in {"yes", "no"}:
            raise PydanticCustomError("yes", "must be yes or no")
        return value.lower() == "yes"
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _names(value: object) -> object:
    if isinstance(value, str):
        return tuple(name for part in value.split(";") if (name := part.strip()))
    return value


Day = Annotated[dt.date, _like(r"\d{4}-\d\d-\d\d", "a day such as 2026-12-31")]
FromDay = Annotated[dt.date, _like(r"(19|20)\d\d-\d\d-\d\d", "a day such as 2026-12-31")]
Time = Annotated[dt.time, _like(r"\d\d:\d\d", "a time such as 18:30")]
Yes = Annotated[bool, BeforeValidator(_yes)]
Address = Annotated[str, _like(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"), BeforeValidator(_lower)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Name = Annotated[str, Field(max_length=200)]
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Slug = Annotated[str, _like(r"[a-z][a-z0-9-]{1,62}", "small letters, digits and -, such as my-name")]
Code = Annotated[str, _like(r"[a-z][a-z0-9_]{0,62}", "small letters, digits and _, such as home_visit")]
Category = Annotated[
    str, _like(r"[A-Z0-9][A-Z0-9_.-]{0,31}", "capital letters, digits, _, . and -, such as GROUP")
]


class Row(BaseModel):
    """A line of a file; an empty cell is as if its column were not there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    FILE: ClassVar[str]
    KEY: ClassVar[str] = ""
    """The column that other files name a line by."""
    line: int


class Organization(Row):
    """What the organisation is called, and what it has decided."""

    FILE = "organization.csv"
    slug: Slug
    name: Name
    time_zone: str | None = None
    max_chapter_assignments: Annotated[int, Field(ge=1, le=10000)] | None = None


class Unit(Row):
    """A unit of the tree, by its name."""

    FILE = "units.csv"
    KEY = "unit"
    unit: Name
    kind: Annotated[Literal["national", "region", "district", "local"], BeforeValidator(_lower)]
    parent: str | None = None
    closed_on: FromDay | None = None


class Person(Row):
    """Somebody by their address; the first of the chapters is the primary one."""

    FILE = "people.csv"
    KEY = "email"
    email: Address
    name: Name
    role: Annotated[Literal["peer_mentor", "coordinator", "org_admin"], BeforeValidator(_lower)]
    chapters: Names = ()
    active: Yes = True


class ActivityType(Row):
    """A kind of activity."""

    FILE = "types.csv"
    KEY = "code"
    code: Code
    label: Name


class Mapping(Row):
    """The Bufdir category of a type, in a version of the mapping."""

    FILE = "mapping.csv"
    version: Annotated[int, Field(ge=1)]
    valid_from_year: Year
    type: str
    category: Category


class Threshold(Row):
    """How many activities of a category must be reported."""

    FILE = "thresholds.csv"
    valid_from_year: Year
    category: Category
    minimum: Annotated[int, Field(ge=0)]
    at_risk_ratio: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.8")


class Rule(Row):
    """What of a type counts, from a day on."""

    FILE = "rules.csv"
    type: str
    valid_from: FromDay
    counts: Yes = True
    min_minutes: Minutes | None = None
    min_participants: Annotated[int, Field(ge=1, le=10000)] | None = None
    source: Annotated[str, Field(max_length=500)]


class Activity(Row):
    """Something that took place."""

    FILE = "activities.csv"
    reference: str | None = None
    date: Day
    time: Time = dt.time(0)
    type: str
    chapter: str
    peer_mentor: Address
    minutes: Minutes
    participants: Annotated[int, Field(ge=0, le=10000)] = 1
    contact: str | None = None
    registered_by: Address | None = None
    coordinator: Address | None = None
    recorded_on: Day | None = None
    status: Annotated[Literal["draft", "registered", "rejected"], BeforeValidator(_lower)] = "registered"


def columns(model: type[Row]) -> dict[str, bool]:
    """Give the columns of a file, and whether each is required."""
    return {name: field.is_required() for name, field in model.model_fields.items() if name != "line"}
