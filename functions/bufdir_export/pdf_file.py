"""A document as PDF/UA, which screen readers can read; typeset by Typst, from `report.typ`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst

from bufdir_export.document import text

if TYPE_CHECKING:
    import datetime as dt

    from bufdir_export.document import Cell, Document, Table

MARKS = str.maketrans({",": "\N{NO-BREAK SPACE}", ".": ","})
TEMPLATE = Path(__file__).with_name("report.typ")


def write_pdf(document: Document, as_of: dt.datetime) -> bytes:
    """Typeset the document; its time is that of the figures, so that it is the same each time.

    What the document says goes in as data, so nothing in it is read as markup.
    """
    data = {
        "title": document.title,
        "subtitle": document.subtitle,
        "footer": document.footer,
        "as_of": [as_of.year, as_of.month, as_of.day, as_of.hour, as_of.minute, as_of.second],
        "tables": [_table(table) for table in document.tables],
    }
    content = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"report": json.dumps(data)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(as_of.timestamp()),
    )
    if not isinstance(content, bytes):
        raise TypeError("a PDF is one file")
    return content


def _grouped(cell: Cell) -> str:
    """Write a cell as `text` does, large figures in groups of three that stay on one line."""
    return text(cell) if isinstance(cell, str) else f"{cell:,}".translate(MARKS)


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": table.columns,
        "is_number": [table.is_of_figures(place) for place in range(len(table.columns))],
        "has_total": table.has_total,
        "rows": [[_grouped(cell) for cell in row] for row in table.rows],
    }
