"""The pack for auditors: the report, what its words mean, what it was made of, and SQL that verifies it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from bufdir_export.document import EXPLANATIONS, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _shared.database.report_versions import AuditBasis, ReportVersion

VERIFY = Path(__file__).with_name("verify.sql")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a file's own time would make every pack another one


def write_audit(version: ReportVersion, basis: AuditBasis, files: Mapping[str, bytes]) -> bytes:
    """Write the pack: `files` are the report itself."""
    contents = dict(files) | {
        "definisjoner.txt": "".join(f"{word}: {meaning}\r\n" for word, meaning in EXPLANATIONS).encode(),
        "telleregel.json": json.dumps(
            version.counting_rule, indent=2, ensure_ascii=False, default=str
        ).encode(),
        "kategorier.csv": _csv(
            ("aktivitetstype", "kode", "navn", "kategori"),
            (
                (
                    str(kind.activity_type_id),
                    kind.activity_type_code,
                    kind.label,
                    kind.bufdir_category_code or "",
                )
                for kind in version.mapping
            ),
        ),
        "lokallag.csv": _csv(
            ("lokallag", "navn", "aktiviteter", "minutter", "deltakelser"),
            (
                (
                    str(chapter.chapter_id),
                    chapter.chapter_name,
                    *map(str, (chapter.activity_count, chapter.total_minutes, chapter.participant_count)),
                )
                for chapter in basis.chapters
            ),
        ),
        "aktiviteter.csv": _csv(
            ("aktivitet", "lokallag", "aktivitetstype", "minutter", "deltakelser"),
            (tuple(str(cell) for cell in activity.model_dump().values()) for activity in basis.activities),
        ),
        "verify.sql": _verify(version, basis).encode(),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name in sorted(contents):
            pack.writestr(zipfile.ZipInfo(name, LONG_AGO), contents[name], zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _csv(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([str(plain(cell)) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _verify(version: ReportVersion, basis: AuditBasis) -> str:
    """Fill the template: only ids and whole numbers go in, so nothing needs quoting."""
    rows = ",\n".join(
        f"    ('{one.activity_id}', '{one.chapter_id}', {one.minutes}, {one.participants})"
        for one in basis.activities
    )
    values = f"insert into reported values\n{rows};" if rows else "-- no activities"
    template = VERIFY.read_text(encoding="utf-8")
    return (
        template.replace(":version_id", f"'{version.id}'")
        .replace(":hash", f"'{version.hash}'")
        .replace("-- :reported", values)
    )
