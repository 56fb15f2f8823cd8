"""`GET /functions/v1/bufdir-export?version&format`: a version of a report as a file.

Everything that is written is in `document`, once; each format is a module that writes it. What writes PDF and
XLSX is loaded when such a file is asked for, and by nobody else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import ConfigDict, Field

from _shared.callers import User
from _shared.database.report_versions import Format  # noqa: TC001 - pydantic reads it
from _shared.http.endpoint import endpoint
from _shared.http.file import File
from _shared.inputs import Input
from _shared.result import Err, Ok, Result
from bufdir_export.document import Document, describe

if TYPE_CHECKING:
    from _shared.database.report_versions import AuditBasis, ReportVersion
    from _shared.http.request import Call

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "audit": "application/zip",
}


class ExportQuery(Input):
    """A version, by its id, and the format of the file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": "7d444840-9dc0-41d1-b245-5ffdce74fad2"}]}
    )

    version: Annotated[UUID, Field(strict=False)]
    format: Format = "json"


@endpoint("GET", callers={User}, query=ExportQuery)
async def bufdir_export(call: Call[ExportQuery]) -> Result[File | Document]:
    """Give a version through the gate, on record.

    Errors : forbidden (no active coordinator or org admin; for auditors, no org admin), not_found, conflict
             (not approved, or not sent and the activities have changed since), feature_disabled.
    Source : public.export_report_version(), which decides.
    """
    exported = await call.database.export_report_version(call.user, call.input.version, call.input.format)
    if isinstance(exported, Err):
        return exported
    version, basis = exported.value.version, exported.value.audit
    if call.input.format == "json":
        return Ok(describe(version))
    content = await asyncio.to_thread(write, version, call.input.format, basis)
    return Ok(File(name(version, call.input.format), MEDIA_TYPES[call.input.format], content))


def write(version: ReportVersion, file_format: Format, basis: AuditBasis | None = None) -> bytes:
    """Give the bytes of a file: the same ones each time. `basis`: for auditors."""
    match file_format:
        case "csv":
            from bufdir_export.csv_file import write_csv  # noqa: PLC0415 - loaded when it is asked for

            return write_csv(describe(version))
        case "xlsx":
            from bufdir_export.xlsx_file import write_xlsx  # noqa: PLC0415 - as above

            return write_xlsx(describe(version), version.prepared.at)
        case "pdf":
            from bufdir_export.pdf_file import write_pdf  # noqa: PLC0415 - as above

            return write_pdf(describe(version), version.prepared.at)
        case "audit" if basis is not None:
            from bufdir_export.audit_file import write_audit  # noqa: PLC0415 - as above

            files = {name(version, kind): write(version, kind) for kind in ("csv", "xlsx", "pdf")}
            return write_audit(version, basis, files)
        case _:
            raise ValueError(file_format)


def name(version: ReportVersion, file_format: Format) -> str:
    """Give a file its name: of which months it is, and which version."""
    ending = "zip" if file_format == "audit" else file_format
    return f"bufdir-{version.period_start:%Y-%m}-{version.period_end:%Y-%m}-v{version.version}.{ending}"
