"""A document as CSV, as a Norwegian spreadsheet opens it: semicolons, decimal commas, UTF-8 with its mark."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

from bufdir_export.document import text

if TYPE_CHECKING:
    from bufdir_export.document import Document


def write_csv(document: Document) -> bytes:
    """Write one table below the other, each under its title, with an empty line between."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow([document.title])
    writer.writerow([document.subtitle])
    for table in document.tables:
        writer.writerow([])
        writer.writerow([table.title])
        writer.writerow(table.columns)
        writer.writerows([text(cell) for cell in row] for row in table.rows)
    return codecs.BOM_UTF8 + file.getvalue().encode()
