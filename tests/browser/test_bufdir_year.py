"""The Bufdir year: figures are computed; a report is prepared, approved by another, sent, downloaded."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import open_page, sign_in

if TYPE_CHECKING:
    from local.stack import Stack

# Of another organisation: the second signature is switched off and on, and a version stays for ever.
SMALL_ADMIN = "einar@blindeforbundet.example"
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


def card(page: Page, title: str) -> Locator:
    return page.locator(".card", has=page.get_by_role("heading", name=title))


def test_each_part_appears_by_itself(page: Page, stack: Stack) -> None:
    held: list[Route] = []
    alignment, remarks = re.compile("bufdir-alignment"), re.compile("show=remarks")
    page.route(alignment, lambda route: held.append(route))  # noqa: PLW0108 - it is given an attribute
    page.route(remarks, lambda route: route.fulfill(status=500, json={"error": {"code": "internal"}}))
    sign_in(page, stack.api_url, COORDINATOR)
    page.goto(f"{stack.api_url}/#bufdir/{YEAR - 1}")

    waiting = card(page, "Krav og kategorier")
    expect(waiting).to_contain_text("Regner ut tallene")
    expect(card(page, "Mulige dubletter")).to_contain_text("Ingen mulige dubletter.")
    with page.expect_request(alignment):  # asked for anew, because what is shown has changed
        page.get_by_role("button", name="Beregn på nytt").click()
    expect(page.get_by_text("Beregnet og lagret.")).to_be_visible()

    expect(waiting).to_contain_text("Regner ut tallene")
    held[-1].continue_()
    expect(waiting).to_contain_text("Oversikten og rapporten viser de samme tallene.")
    failed = card(page, "Uvanlige tall")
    expect(failed.locator(".error")).to_contain_text("Det gikk ikke")
    expect(page.locator("[data-page] [aria-busy=true]")).to_have_count(0)
    page.unroute_all()
    failed.get_by_role("button", name="Prøv igjen").click()
    expect(failed).to_contain_text("Ingenting uvanlig.")


def test_where_one_person_signs_the_change_is_on_record(page: Page, stack: Stack, person: Any) -> None:
    einar = person(SMALL_ADMIN)
    sign_in(page, stack.api_url, SMALL_ADMIN)

    def switch(choice: str, change: str) -> None:
        open_page(page, stack, "settings")
        people = page.get_by_label("Rapporten trenger to personer")
        expect(people).to_have_accessible_description(re.compile("Nei: én person kan gjøre begge deler"))
        people.select_option(choice)
        page.get_by_role("button", name="Lagre").click()
        expect(page.locator("tbody tr").first).to_contain_text(f"two_person_sign_off: {change}")

    open_page(page, stack, f"bufdir/{YEAR}")
    page.get_by_role("button", name="Beregn på nytt").click()
    expect(page.get_by_text("Ferske")).to_be_visible()
    page.get_by_role("button", name="Klargjør rapport").click()
    expect(page.locator('[data-version="1"]')).to_contain_text("En annen må godkjenne den.")
    expect(page.get_by_role("button", name="Godkjenn")).to_have_count(0)
    try:
        switch("Nei", "true → false")
        open_page(page, stack, f"bufdir/{YEAR}")
        page.get_by_role("button", name="Godkjenn").click()
        expect(page.locator('[data-version="1"]')).to_contain_text("Godkjent")
        switch("Ja", "false → true")
    finally:
        einar.write(
            "PATCH",
            "organization_settings",
            params={"organization_id": "not.is.null"},
            json={"two_person_sign_off": True},
        )
    assert einar.read("organization_settings?select=two_person_sign_off") == [{"two_person_sign_off": True}]
