"""The Bufdir year: figures are computed; a report is prepared, approved by another, sent, downloaded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser.conftest import open_page, sign_in

if TYPE_CHECKING:
    from local.stack import Stack

YEAR = datetime.now(UTC).year - 4  # which nothing else reports
COORDINATOR, ADMIN = "stein@barnekreftforeningen.example", "mona@barnekreftforeningen.example"


def test_from_figures_to_the_file(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, COORDINATOR)
    open_page(page, stack, f"bufdir/{YEAR}")
    expect(page.get_by_role("button", name="Klargjør rapport")).to_be_disabled()
    page.get_by_role("button", name="Beregn på nytt").click()
    expect(page.get_by_text("Ferske")).to_be_visible()
    page.get_by_role("button", name="Klargjør rapport").click()
    expect(page.locator('[data-version="1"]')).to_contain_text("En annen må godkjenne den.")
    expect(page.get_by_role("button", name="Godkjenn")).to_have_count(0)
    page.get_by_role("button", name="Logg ut").click()
    sign_in(page, stack.api_url, ADMIN)
    open_page(page, stack, f"bufdir/{YEAR}")
    page.get_by_role("button", name="Godkjenn").click()
    page.get_by_role("button", name="Merk som sendt").click()
    expect(page.locator('[data-version="1"]')).to_contain_text("Sendt")
    for file_format, start in {"PDF": b"%PDF", "XLSX": b"PK"}.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Last ned: {file_format}").click()
        assert download.value.suggested_filename == f"bufdir-{YEAR}-01-{YEAR + 1}-01-v1.{file_format.lower()}"
        assert download.value.path().read_bytes().startswith(start)
