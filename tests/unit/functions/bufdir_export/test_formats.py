"""Every format says the same, cell by cell and byte by byte, and no spreadsheet reads a cell as a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from _shared import exact_json
from _shared.database.report_versions import ReportVersion
from bufdir_export import name, write
from bufdir_export.document import FORMULA_STARTS, describe, plain, text
from tests.support.examples import exactly, figures, report_json, signature_json, version_json

if TYPE_CHECKING:
    from bufdir_export.document import Document

NASTY = '=HYPERLINK("https://evil.example","x");\r\n#let x = 1 & <b>'


def make_version(**overrides: Any) -> ReportVersion:
    return ReportVersion.model_validate(exactly(version_json(**overrides)))


SIGNED = {
    "approved": signature_json("Astrid Čáhput"),
    "sent": signature_json("Kari Nordmann", "2026-09-01"),
}
HIDDEN = dict.fromkeys(figures())
VERSIONS = {
    "prepared": make_version(),
    "sent": make_version(**SIGNED),
    "half-a-year": make_version(period_end="2026-07-01", report=report_json(period_end="2026-07-01")),
    "hidden": make_version(report=report_json(totals=HIDDEN)),
    "empty": make_version(report=report_json(categories=[], uncategorised=[], regions=[])),
    "nasty": make_version(
        organization_name=NASTY,
        report=report_json(regions=[figures() | {"region_unit_id": None, "region_name": NASTY}]),
    ),
}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> ReportVersion:
    return VERSIONS[request.param]


def cells(document: Document) -> list[list[Any]]:
    """Every line of every table: its title, its columns, its rows."""
    return [list(line) for table in document.tables for line in ((table.title,), table.columns, *table.rows)]


def written(document: Document) -> list[list[str]]:
    return [[text(cell) for cell in line] for line in cells(document)]


def test_csv_has_every_cell(version: ReportVersion) -> None:
    document = describe(version)
    content = write(version, "csv").decode("utf-8-sig")
    lines = [line for line in csv.reader(io.StringIO(content, newline=""), delimiter=";") if line]
    assert lines == [[document.title], [document.subtitle], *written(document)]


def test_the_workbook_has_every_cell_and_numbers_are_numbers(version: ReportVersion) -> None:
    document = describe(version)
    book = load_workbook(io.BytesIO(write(version, "xlsx")))
    assert book.sheetnames == [table.title for table in document.tables]
    for table, sheet in zip(document.tables, book.worksheets, strict=True):
        lines = [
            [cell.value or "" if cell.data_type == "s" else cell.value for cell in row]
            for row in sheet.iter_rows()
        ]
        expected: list[list[Any]] = [list(table.columns), *(list(row) for row in table.rows)]
        assert [["" if cell is None else cell for cell in line] for line in lines] == [
            [float(cell) if isinstance(cell, Decimal) else cell for cell in line] for line in expected
        ]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_the_pdf_has_every_cell(version: ReportVersion) -> None:
    pages = pypdfium2.PdfDocument(write(version, "pdf"))
    said = "".join(page.get_textpage().get_text_range() for page in pages)
    squeezed = "".join(said.split()).replace("\ufffe", "")
    lines = written(describe(version))
    missing = [cell for line in lines for cell in line if "".join(cell.split()) not in squeezed]
    assert missing == []


def test_large_figures_are_readable() -> None:
    large = dict(zip(figures(), (949751, Decimal("1543356.50"), 20000, 2614929), strict=True))
    version = make_version(report=report_json(totals=large))
    [page] = pypdfium2.PdfDocument(write(version, "pdf"))
    said = page.get_textpage().get_text_range()
    assert all(figure in said for figure in ("949\xa0751", "1\xa0543\xa0356,50", "2\xa0614\xa0929")), said
    sheet = load_workbook(io.BytesIO(write(version, "xlsx")))["Kategorier"]
    assert sheet.cell(sheet.max_row, 4).number_format == "#,##0.00"
    # what does not fit is shown as ####
    assert sheet.column_dimensions["D"].width > len("1 543 356,50")


def test_json_has_every_cell(version: ReportVersion) -> None:
    document = describe(version)
    read = exact_json.loads(exact_json.dumps(document))
    assert isinstance(read, dict)
    lines = [
        line for table in read["tables"] for line in ([table["title"]], table["columns"], *table["rows"])
    ]
    assert lines == cells(document)


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "pdf"])
def test_a_file_is_the_same_each_time(version: ReportVersion, file_format: Any) -> None:
    assert write(version, file_format) == write(version, file_format)
    assert write(version, file_format) != write(make_version(version=7), file_format)


def test_the_pdf_can_be_read_aloud() -> None:
    content = write(VERSIONS["sent"], "pdf")
    assert b"/MarkInfo" in content
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content


@given(st.text())
def test_no_text_begins_a_formula_or_a_line(given_text: str) -> None:
    said = plain(given_text)
    assert isinstance(said, str)
    assert not said.startswith((*FORMULA_STARTS, "\t", "\r", " "))
    assert len(said.splitlines()) <= 1
    assert plain(said) == said


@pytest.mark.parametrize("harmless", ["NHF Oslo", "Ålesund og Sunnmøre", "Čáhput", "a=b", "5 + 5"])
def test_other_texts_stay_as_they_are(harmless: str) -> None:
    assert plain(harmless) == harmless


def about(version: ReportVersion) -> dict[Any, Any]:
    rows: Any = describe(version).tables[0].rows
    return dict(rows)


def test_who_vouches_for_it_is_said() -> None:
    said = about(VERSIONS["sent"])
    assert said["Status"] == "Sendt"
    assert said["Tallene gjelder per"] == "14.03.2026 kl. 10.26"
    assert said["Godkjent av"] == "Astrid Čáhput, 14.03.2026 kl. 10.26"
    assert said["Sendt av"] == "Kari Nordmann, 01.09.2026 kl. 10.26"
    assert (said["Fingeravtrykk"], said["Kontrollsum"]) == ("c646630b0762767b7b83d053fe72bfa8", "7d" * 32)
    assert "Godkjent av" not in about(VERSIONS["prepared"])


def test_a_period_is_a_year_or_from_day_to_day() -> None:
    assert describe(VERSIONS["sent"]).title == "Rapport til Bufdir 2026"
    assert describe(VERSIONS["half-a-year"]).title == "Rapport til Bufdir 1. januar 2026 til 30. juni 2026"
    assert name(VERSIONS["half-a-year"], "audit") == "bufdir-2026-01-2026-07-v1.zip"


def test_types_without_a_category_go_by_their_label() -> None:
    table = describe(VERSIONS["sent"]).tables[1]
    assert [row[:2] for row in table.rows] == [
        ("INDIVIDUAL", "Samtale"),
        ("Uten kategori", "Sosial kafé"),
        ("Samlet", ""),
    ]
