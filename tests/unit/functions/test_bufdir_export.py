from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from _shared.result import Err, ErrorCode
from bufdir_export import MEDIA_TYPES, bufdir_export
from local.requirements import ROOT
from tests.support.credentials import bearer, make_token
from tests.support.examples import VERSION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.fake_database import FakeDatabase

START = {"csv": b"\xef\xbb\xbfRapport til Bufdir 2026", "xlsx": b"PK\x03\x04", "pdf": b"%PDF-"}


async def get(client_of: Callable[..., httpx.AsyncClient], **query: str) -> httpx.Response:
    async with client_of(bufdir_export) as client:
        return await client.get("/", params={"version": VERSION_ID, **query}, headers=bearer(make_token()))


@pytest.mark.parametrize("file_format", START)
async def test_a_version_is_a_file(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, file_format: str
) -> None:
    response = await get(client_of, format=file_format)
    assert response.status_code == 200
    assert response.headers["content-type"] == MEDIA_TYPES[file_format]
    assert response.headers["content-disposition"] == (
        f'attachment; filename="bufdir-2026-01-2027-01-v1.{file_format}"'
    )
    assert response.headers["cache-control"] == "no-store"
    assert response.content.startswith(START[file_format])
    assert database.calls == ["export_report_version"]
    assert database.asked[0][-1] == file_format


async def test_without_a_format_it_is_json(client_of: Callable[..., httpx.AsyncClient]) -> None:
    response = await get(client_of)
    assert response.json()["data"]["title"] == "Rapport til Bufdir 2026"
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "query",
    [{"version": "1"}, {"format": "docx"}, {"format": "xlsx", "more": "1"}],
    ids=["no-id", "no-format", "unknown"],
)
async def test_what_is_not_understood_is_refused(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, query: dict[str, Any]
) -> None:
    response = await get(client_of, **query)
    assert response.status_code == 400
    assert database.calls == []


async def test_a_refusal_of_the_gate_is_json(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase
) -> None:
    database.failures["export_report_version"] = Err(ErrorCode.CONFLICT, "This version is not approved yet.")
    response = await get(client_of, format="pdf")
    assert (response.status_code, response.json()["error"]["message"]) == (
        409,
        "This version is not approved yet.",
    )


def test_what_writes_files_is_loaded_by_nobody_before_it_is_asked_for() -> None:
    code = "import sys, bufdir_export; sys.exit(bool({'typst', 'xlsxwriter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "functions", check=False)
    assert done.returncode == 0
