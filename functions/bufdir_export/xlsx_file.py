"""A document as a workbook: each table on a sheet of its own, numbers as numbers, texts never as formulas."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import TYPE_CHECKING

from xlsxwriter import Workbook  # type: ignore[import-untyped]

if TYPE_CHECKING:
    import datetime as dt

    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

    from bufdir_export.document import Document, Table

A4 = 9
WIDEST = 640  # pixels


def write_xlsx(document: Document, as_of: dt.datetime) -> bytes:
    """Write the workbook; its time is that of the figures, so that it is the same each time."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties(
            {
                "title": document.title,
                "subject": document.subtitle,
                "comments": document.footer,
                "created": as_of.replace(tzinfo=None),
            }
        )
        for table in document.tables:
            sheet = workbook.add_worksheet(table.title)
            _write_table(workbook, sheet, table)
            sheet.set_header(f"&L&B{_escape(document.title)}&B\n&A&R{_escape(document.subtitle)}")
            sheet.set_margins(top=1)  # inches: the heading has two lines
            sheet.set_footer(f"&L{_escape(document.footer)}&R&P/&N")
            sheet.set_paper(A4)
            sheet.fit_to_pages(1, 0)
    return file.getvalue()


def _write_table(workbook: Workbook, sheet: Worksheet, table: Table) -> None:
    for column, title in enumerate(table.columns):
        sides = {"align": "right" if table.is_of_figures(column) else "left", "valign": "top"}
        heading = workbook.add_format(sides | {"bold": True, "bg_color": "#DCE6F1", "bottom": 1})
        sheet.write_string(0, column, title, heading)
        for number, row in enumerate(table.rows, start=1):
            is_total = table.has_total and number == len(table.rows)
            style = sides | ({"bold": True, "top": 1} if is_total else {})
            cell = row[column]
            if isinstance(cell, str):
                sheet.write_string(number, column, cell, workbook.add_format(style | {"text_wrap": True}))
            else:
                form = "#,##0.00" if isinstance(cell, Decimal) else "#,##0"
                sheet.write_number(number, column, cell, workbook.add_format(style | {"num_format": form}))
    sheet.autofit(WIDEST)
    for column, title in enumerate(table.columns):
        if table.is_of_figures(column):  # autofit does not know how a number is shown, Excel shows ####
            shown = [f"{cell:,}" for row in table.rows if not isinstance(cell := row[column], str)]
            sheet.set_column(column, column, max(map(len, [title, *shown])) + 3)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)


def _escape(text: str) -> str:
    return text.replace("&", "&&")[:120]
