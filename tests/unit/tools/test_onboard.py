"""make onboard: every kind of problem is named by file and line, before anything is written."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from typing import TYPE_CHECKING

import pytest

from local.requirements import ROOT
from tools.onboard import files, plan
from tools.onboard.activities import activity_ids
from tools.onboard.rows import Organization, columns
from tools.onboard.state import State, StoredActivity, StoredOrganization, StoredPerson, StoredUnit

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples" / "onboarding"
NOW = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)
OWN, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
UNIT, TYPE, ANNE = uuid.UUID(int=3), uuid.UUID(int=4), uuid.UUID(int=5)
FIRST = "A-0004,2025-02-02,13:00,group_meeting,Stemmen Oslo,anne@stemmen.example,120,3,,,registered"
LAST = (
    "A-0024,2025-12-07,13:00,conversation,Stemmen Oslo,anne@stemmen.example,90,1,K3,"
    "olav@stemmen.example,registered"
)


def stored(**others: object) -> State:
    """Of an organisation that has its name alone, and whatever else is given."""
    return State(organization=StoredOrganization(OWN, "Stemmen", "Europe/Oslo", 5), **others)  # type: ignore[arg-type]


def person(organization_id: uuid.UUID | None) -> StoredPerson:
    role = "peer_mentor" if organization_id else None
    organization = str(organization_id) if organization_id else None
    return StoredPerson(ANNE, organization, is_invited=True, role=role, name="Anne Aasen", is_active=True,
                        chapters=(), has_primary=False)  # fmt: skip


def problems(path: Path, state: State | None = None) -> list[str]:
    folder, found = files.read(path)
    made, more = plan.make(folder, state or State(), activity_ids(folder), NOW)
    assert (made is None) >= bool(more), "a plan has no problem"
    return [str(each) for each in sorted(set(found + more))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "folder")
    return tmp_path / "folder"


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_has_no_problem(folder: Path) -> None:
    assert problems(folder) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # a file by itself
        ("organization.csv", "slug,", "slag,",
         ["organization.csv:1: the column slug is missing",
          f"organization.csv:1: there is no column slag; there are {', '.join(columns(Organization))}"]),
        ("units.csv", "unit,kind,parent", "unit,kind,kind",
         ["units.csv:1: the column kind is there more than once"]),
        ("organization.csv", "stemmen,", "Stemmen!,",
         ["organization.csv:2: slug must be small letters, digits and -, such as my-name"]),
        ("organization.csv", "Europe/Oslo", "Oslo",
         ["organization.csv:2: time_zone must be the full name of a time zone, such as Europe/Oslo"]),
        ("organization.csv", ",5\n", ",0\n",
         ["organization.csv:2: max_chapter_assignments must be greater than or equal to 1"]),
        ("organization.csv", ",5\n", ",5\nanother,Another,,\n",
         ["organization.csv:3: one folder is one organisation"]),
        ("units.csv", "2025-07-01", "01.07.2025",
         ["units.csv:8: closed_on must be a day such as 2026-12-31"]),
        ("units.csv", "2025-07-01", "2025-02-30", ["units.csv:8: closed_on is no day of the calendar"]),
        ("people.csv", "leder@stemmen.example,", "leder,", ["people.csv:2: email must be an e-mail address"]),
        ("units.csv", "2025-07-01", "1899-12-31",
         ["units.csv:8: closed_on must be a day such as 2026-12-31"]),
        ("people.csv", "Liv Leder", "", ["people.csv:2: name is missing"]),
        ("people.csv", "Liv Leder", "x" * 201, ["people.csv:2: name is too long"]),
        ("people.csv", "Anne Aasen,peer_mentor", "Anne Aasen,mentor",
         ["people.csv:5: role must be 'peer_mentor', 'coordinator' or 'org_admin'"]),
        ("people.csv", "Voss,no", "Voss,perhaps", ["people.csv:8: active must be yes or no"]),
        ("types.csv", "Kurs\n", "Kurs\nCourse 1,Kurs\n",
         ["types.csv:6: code must be small letters, digits and _, such as home_visit"]),
        ("thresholds.csv", "8,0.8", "many,0.8", ["thresholds.csv:2: minimum must be a whole number"]),
        ("thresholds.csv", "8,0.8", "8,most",
         ["thresholds.csv:2: at_risk_ratio must be a number such as 0.8"]),
        ("activities.csv", "13:00", "1 pm", ["activities.csv:4: time must be a time such as 18:30"]),
        ("activities.csv", ",120,3,", ",1441,3,",
         ["activities.csv:4: minutes must be less than or equal to 1440"]),
        ("activities.csv", FIRST, FIRST + ",more",
         ["activities.csv:4: 12 cells in 11 columns: put quotes around what has a separator in it"]),
        # units
        ("units.csv", "Stemmen Øst,region,Stemmen,", "Stemmen Øst,region,,",
         ["units.csv:3: the national unit alone has no parent"]),
        ("units.csv", "Hamar,local,Stemmen Øst,", "Hamar,local,Stemmen Øst,\nNord 123456,region,Stemmen,",
         ["units.csv:7: the name of a region has six digits in a row, which reports do not show"]),
        ("units.csv", "local,Stemmen Vest,\n", "local,Stemmen Nord,\n",
         ["units.csv:7: there is no unit Stemmen Nord"]),
        ("units.csv", "Stemmen Vest,region,Stemmen,", "Stemmen Vest,region,Stemmen Oslo,",
         ["units.csv:4: Stemmen Oslo is a local unit and cannot stand above a region one"]),
        ("units.csv", "Stemmen Vest,region,Stemmen,", "Stemmen Vest,region,Stemmen Vest,",
         ["units.csv:4: the tree has more than five levels, or a circle",
          "units.csv:7: the tree has more than five levels, or a circle",
          "units.csv:8: the tree has more than five levels, or a circle"]),
        ("units.csv", "Hamar,local,Stemmen Øst,", "Hamar,local,Stemmen Øst,\nStemmen Oslo,local,Stemmen,",
         ["units.csv:7: this unit is in line 5 already"]),
        ("units.csv", "Stemmen Vest,region,Stemmen,", "Stemmen Vest,region,Stemmen,\nAlso,national,,",
         ["units.csv:2: an organisation has one national unit, and there is Also",
          "units.csv:5: an organisation has one national unit, and there is Stemmen"]),
        # people
        ("people.csv", "org_admin,,yes\n", "org_admin,,yes\nLeder@Stemmen.Example,Liv,org_admin,,yes\n",
         ["people.csv:3: this address is in line 2 already"]),
        ("people.csv", "Stemmen Oslo;Stemmen Hamar,yes\nvigdis", "Stemmen Oslo;Stemmen Øst,yes\nvigdis",
         ["people.csv:3: there is no chapter Stemmen Øst"]),
        ("people.csv", "Stemmen Bergen;Stemmen Voss", "Stemmen Bergen;Stemmen Bergen",
         ["people.csv:4: Stemmen Bergen is named twice"]),
        ("organization.csv", ",5\n", ",1\n",
         [f"people.csv:{line}: 2 chapters, but one person may have 1 (max_chapter_assignments)"
          for line in (3, 4, 6)]),
        ("people.csv", "org_admin,,yes", "org_admin,,no",
         ["people.csv:1: nobody is an active org_admin: the organisation could not be run"]),
        # what counts
        ("types.csv", "home_visit", "conversation",
         [*(f"activities.csv:{line}: there is no type home_visit" for line in (2, 7, 11, 14, 15, 21)),
          "mapping.csv:3: there is no type home_visit",
          "types.csv:3: this type is in line 2 already"]),
        ("mapping.csv", "COURSE", "Courses",
         ["mapping.csv:5: category must be capital letters, digits, _, . and -, such as GROUP"]),
        ("mapping.csv", "1,2025,home_visit", "1,2025,conversation",
         ["mapping.csv:3: this type of the version is in line 2 already"]),
        ("mapping.csv", "1,2025,home_visit", "1,2026,home_visit",
         ["mapping.csv:3: version 1 is valid from 2025, as said above"]),
        ("thresholds.csv", "GROUP", "INDIVIDUAL", ["thresholds.csv:3: this threshold is in line 2 already"]),
        ("rules.csv", "board_meeting", "bord_meeting", ["rules.csv:3: there is no type bord_meeting"]),
        ("rules.csv", "board_meeting", "group_meeting", ["rules.csv:3: this rule is in line 2 already"]),
        # activities
        ("activities.csv", "A-0001", "A-0002", ["activities.csv:3: this reference is in line 2 already"]),
        ("activities.csv", "group_meeting,Stemmen Oslo,anne", "group_meeting,Stemmen Øst,anne",
         ["activities.csv:4: there is no chapter Stemmen Øst"]),
        ("activities.csv", FIRST, FIRST.replace("anne@", "nobody@"),
         ["activities.csv:4: peer_mentor is not in people.csv, nor in the organisation"]),
        ("activities.csv", LAST, LAST.replace("olav@", "nobody@"),
         ["activities.csv:28: registered_by is not in people.csv, nor in the organisation"]),
        ("activities.csv", "2025-06-27", "2025-07-27",
         ["activities.csv:16: Stemmen Voss was closed on 2025-07-01"]),
        ("activities.csv", "2025-12-07,13:00", "2026-01-15,13:01",
         ["activities.csv:28: what has not taken place yet can only be a draft"]),
        ("activities.csv", "2025-02-02", "1999-02-02",
         ["activities.csv:4: the day must be between 2000 and 2099"]),
        ("activities.csv", LAST, f"{LAST}\n{LAST.replace('A-0024', 'A-0099').replace(',90,', ',1351,')}",
         ["activities.csv:29: with this line, the peer mentor has more than 24 hours on 2025-12-07"]),
    ],
)  # fmt: skip
def test_each_problem_is_named_by_file_and_line(
    folder: Path, file: str, old: str, new: str, expected: list[str]
) -> None:
    change(folder, file, old, new)
    assert problems(folder) == expected


def test_what_is_just_allowed_is_no_problem(folder: Path) -> None:
    change(folder, "activities.csv", "2025-12-07,13:00", "2026-01-15,13:00")
    last = LAST.replace("2025-12-07", "2026-01-15")  # at this very moment
    whole_day = last.replace("A-0024", "A-0099").replace(",90,", ",1350,")
    change(folder, "activities.csv", last, f"{last}\n{whole_day}")
    change(folder, "activities.csv", "A-0027,2025-12-02", "A-0027,2026-12-02")  # a draft may be to come
    change(folder, "activities.csv", "2025-06-27", "2025-06-30")  # the last day before it closed
    assert problems(folder) == []


def test_a_line_that_cannot_be_read_does_not_make_others_wrong(folder: Path) -> None:
    change(folder, "people.csv", "Anne Aasen", "")
    change(folder, "units.csv", "2025-07-01", "soon")
    change(folder, "types.csv", "conversation,Likepersonsamtale", "conversation,")
    assert problems(folder) == [
        "people.csv:5: name is missing",
        "types.csv:2: label is missing",
        "units.csv:8: closed_on must be a day such as 2026-12-31",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("unit,kind\nÅs,local\n".encode("latin-1"), "units.csv:2: is not UTF-8: save it as “CSV UTF-8”"),
        (b'unit,kind\n"a"b,local\n', "units.csv:2: cannot be read from here on: ',' expected after '\"'"),
        (b"", "units.csv:1: the column kind is missing"),
        (b"unit,kind\na\0b,local\n", "units.csv:2: holds a character that cannot be stored"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder: Path, content: bytes, expected: str) -> None:
    (folder / "units.csv").write_bytes(content)
    found = problems(folder)
    assert expected in found
    assert all(each.startswith("units.csv:") for each in found)


def test_a_missing_and_an_unknown_file_are_named(folder: Path) -> None:
    (folder / "organization.csv").rename(folder / "organisation.csv")
    found = problems(folder)
    assert found[0].startswith("organisation.csv:1: is not read; files are called activities.csv, ")
    assert found[1:] == ["organization.csv:1: the file is missing"]


@pytest.mark.parametrize(("separator", "mark"), [(";", "\ufeff"), ("\t", ""), (",", "\ufeff")])
def test_files_are_read_as_spreadsheets_write_them(folder: Path, separator: str, mark: str) -> None:
    text = f'{mark}unit,kind,parent\r\n"Large, and",national,\r\n\r\n"Small",LOCAL,"Large, and"\r\n'
    text = text.replace('"Large, and"', "Large and") if separator != "," else text
    (folder / "units.csv").write_bytes(
        text.replace(",", separator).encode() if separator != "," else text.encode()
    )
    units = files.read(folder)[0].units
    assert [(unit.line, unit.kind) for unit in units] == [(2, "national"), (4, "local")]
    assert units[1].parent == units[0].unit


def test_a_cell_of_several_lines_does_not_shift_the_numbers(folder: Path) -> None:
    change(folder, "types.csv", "Hjemmebesøk", '"Hjemme-\nbesøk"')
    change(folder, "types.csv", "group_meeting,Gruppemøte", "group_meeting,")
    assert problems(folder) == ["types.csv:5: label is missing"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (stored(people={"anne@stemmen.example": person(OTHER)}),
         "people.csv:5: the address belongs to somebody of another organisation"),
        (stored(units={"Stemmen Oslo": StoredUnit(UNIT, "district", None, None, is_used=True)}),
         "units.csv:5: the unit has people or activities, and stays a district one"),
        (stored(ambiguous={"Stemmen Oslo"}), "people.csv:5: several chapters are called Stemmen Oslo"),
        (stored(ambiguous={"Stemmen Oslo"}), "activities.csv:4: several chapters are called Stemmen Oslo"),
        (stored(units={"Before": StoredUnit(UNIT, "national", None, None, is_used=False)}),
         "units.csv:2: an organisation has one national unit, and there is Before"),
        (stored(versions={1: 2025}, categories={(1, "conversation"): "OTHER"}),
         "mapping.csv:2: version 1 is published: give what changes a new version"),
        (stored(locked_years={2025}),
         "mapping.csv:2: 2025 is locked, and this would change what counted then"),
        (stored(locked_years={2025}),
         "rules.csv:2: 2025 is locked, and this would change what counted then"),
        (stored(locked_years={2025}), "activities.csv:4: 2025 is locked"),
        (stored(people={"anne@stemmen.example": person(OWN)},
                minutes={(ANNE, dt.date(2025, 2, 2)): 1321}),
         "activities.csv:4: with this line, the peer mentor has more than 24 hours on 2025-02-02"),
    ],
)  # fmt: skip
def test_what_the_database_has_is_a_problem(folder: Path, state: State, expected: str) -> None:
    assert expected in problems(folder, state)


def test_what_the_database_has_and_is_none(folder: Path) -> None:
    day = dt.date(2025, 2, 2)
    state = stored(
        people={"anne@stemmen.example": person(OWN), "nobody@elsewhere.example": person(OTHER)},
        minutes={(ANNE, day): 1320},
        versions={1: 2025},
        categories={
            (1, "conversation"): "INDIVIDUAL",
            (1, "home_visit"): "INDIVIDUAL",
            (1, "group_meeting"): "GROUP",
            (1, "course"): "COURSE",
        },
        locked_years={2024},
    )
    assert problems(folder, state) == []


def test_an_activity_of_another_organisation_is_not_taken_over(folder: Path) -> None:
    id_ = uuid.UUID(int=9)
    change(folder, "activities.csv", "A-0004", str(id_))
    theirs = StoredActivity(
        OTHER, UNIT, ANNE, TYPE, NOW, NOW.date(), 1, 1, ANNE, None, "registered", is_duplicate=False
    )
    expected = "activities.csv:4: the reference is of an activity of another organisation"
    assert problems(folder, stored(activities={id_: theirs})) == [expected]


def test_lines_without_a_reference_are_told_apart_and_stay_the_same(folder: Path) -> None:
    change(folder, "activities.csv", FIRST, "\n".join([FIRST.replace("A-0004", "")] * 2))
    first, second = activity_ids(files.read(folder)[0])[2:4]
    assert first != second
    change(folder, "activities.csv", "A-0001,", "A-0000,")
    assert activity_ids(files.read(folder)[0])[2:4] == [first, second]
    change(folder, "organization.csv", "stemmen,", "others,")
    assert not {first, second} & {*activity_ids(files.read(folder)[0])}


def test_no_problem_repeats_what_stands_in_the_cell(folder: Path) -> None:
    change(folder, "people.csv", "Anne Aasen,peer_mentor", "Anne Aasen,Kreftsyk")
    change(folder, "activities.csv", "13:00", "Kreftsyk")
    assert len(problems(folder)) == 2
    assert "Kreftsyk" not in str(problems(folder))
