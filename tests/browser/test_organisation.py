"""An org admin imports a list with a preview, changes a person, and sees it on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import open_page, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

HANNE = "hanne@hlf.example"
GOOD = "unit;kind;parent;closed_on\nPrøvelag;local;{parent};\n"
BAD = GOOD + "Feil;chapter;{parent};\n"


@pytest.fixture
def parent(stack: Stack, person: Any) -> Iterator[str]:
    (root,) = person(HANNE).read("organization_units?select=name&parent_id=is.null")
    yield str(root["name"])
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute("delete from public.organization_units where name = 'Prøvelag'")


def test_a_list_is_previewed_then_imported(page: Page, stack: Stack, person: Any, parent: str) -> None:
    hanne = person(HANNE)
    sign_in(page, stack.api_url, HANNE)
    open_page(page, stack, "import")
    for name, content in {"feil.csv": BAD, "riktig.csv": GOOD}.items():
        file = FilePayload(name=name, mimeType="text/csv", buffer=content.format(parent=parent).encode())
        page.get_by_label("CSV-fil").set_input_files([file])
        page.get_by_role("button", name="Vis hva som endres").click()
        if name == "feil.csv":
            expect(page.get_by_text("«chapter» er ikke et nivå. Skriv national, region,")).to_be_visible()
            expect(page.locator("#run-import")).to_have_count(0)
        assert hanne.read("organization_units?name=eq.Prøvelag") == []
    page.locator("#run-import").click()
    expect(page.get_by_text("Importert.")).to_be_visible()
    assert len(hanne.read("chapters?name=eq.Prøvelag")) == 1


PEOPLE = """email,name,role,chapters
nobody@hlf.example,Nobody,coordinator,
tor@hlf.example,Tor,boss,
odd@hlf.example,Odd,peer_mentor,Nowhere
hanne@hlf.example,Hanne,coordinator,
"""
SHOWN = {"nb": ("Vis hva som endres", "Feil: 4"), "en": ("Show what changes", "Problem: 4")}
# What each of them has wrong, the last one as the database refuses it.
WRONG = {
    "nb": (
        "Ingen er invitert med adressen «nobody@hlf.example».",
        "«boss» er ikke en rolle. Skriv peer_mentor, coordinator eller org_admin.",
        "Det finnes ikke noe lag som heter «Nowhere».",
        "Organisasjonen må ha minst én administrator.",
    ),
    "en": (
        "Nobody was invited with the address “nobody@hlf.example”.",
        "“boss” is no role. Write peer_mentor, coordinator or org_admin.",
        "There is no chapter called “Nowhere”.",
        "The organisation must have at least one administrator.",
    ),
}


def test_problems_are_told_in_the_language_of_the_screen(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, HANNE)
    for language, (button, number) in SHOWN.items():
        if language == "en":
            page.locator("#language").click()
            expect(page.locator("html")).to_have_attribute("lang", "en")
        open_page(page, stack, "import")
        page.locator("[name=kind]").select_option("people")
        page.locator("[name=text]").fill(PEOPLE)
        page.get_by_role("button", name=button).click()
        expect(page.locator("#import-result")).to_contain_text(number)
        for line in WRONG[language]:
            expect(page.locator("#import-result")).to_contain_text(line)


ACTIVITIES = "reference,date,time,type,chapter,peer_mentor,minutes,participants\n"


def test_past_activities_are_previewed_then_imported(page: Page, stack: Stack, person: Any) -> None:
    hanne, tor = person(HANNE), person("tor@hlf.example")
    (place,) = tor.read("chapter_assignments?select=chapters:organization_units(name)&is_primary=is.true")
    (kind,) = hanne.read("activity_types?select=code&limit=1")
    line = f"P-1,2023-02-03,10:00,{kind['code']},{place['chapters']['name']},tor@hlf.example,"
    found = f"activities?select=id&activity_date=eq.2023-02-03&peer_mentor_id=eq.{tor.id}"
    sign_in(page, stack.api_url, HANNE)
    open_page(page, stack, "import")
    page.get_by_label("Hva slags liste").select_option("activities")
    try:
        for minutes in ("0,1", "90,1"):
            page.get_by_label("Eller lim inn her").fill(f"{ACTIVITIES}{line}{minutes}\n")
            page.get_by_role("button", name="Vis hva som endres").click()
            if minutes == "0,1":
                expect(page.get_by_text("minutes må være et tall fra 1 til 1440, ikke «0».")).to_be_visible()
                expect(page.locator("#run-import")).to_have_count(0)
            assert hanne.read(found) == []
        page.locator("#run-import").click()
        expect(page.get_by_text("Importert.")).to_be_visible()
        assert len(hanne.read(found)) == 1
    finally:
        hanne.http.delete(f"/rest/v1/{found}").raise_for_status()


def test_a_person_gets_another_name_on_record(page: Page, stack: Stack, person: Any) -> None:
    hanne = person(HANNE)
    (tor,) = hanne.read("profiles?select=id,display_name&display_name=like.Tor*")
    sign_in(page, stack.api_url, HANNE)
    open_page(page, stack, f"people/{tor['id']}")
    try:
        page.get_by_label("Rolle").select_option("coordinator")
        page.get_by_role("button", name="Lagre").click()
        row = page.locator("tbody tr", has=page.get_by_role("rowheader", name=tor["display_name"]))
        expect(row).to_contain_text("Koordinator")
        open_page(page, stack, "settings")
        expect(page.locator("tbody tr").first).to_contain_text("role: peer_mentor → coordinator")
    finally:
        hanne.http.post("/rest/v1/rpc/save_person", json={**tor, "role": "peer_mentor"}).raise_for_status()


def test_the_last_org_admin_stays(page: Page, stack: Stack, person: Any) -> None:
    hanne = person(HANNE)
    sign_in(page, stack.api_url, HANNE)
    open_page(page, stack, f"people/{hanne.id}")
    page.get_by_label("Rolle").select_option("coordinator")
    page.get_by_role("button", name="Lagre").click()
    expect(page.get_by_text("Organisasjonen må ha minst én administrator.")).to_be_visible()
