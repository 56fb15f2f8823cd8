"""An org admin runs the organisation on the screen: units, types, rules, categories, settings, years."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import open_page, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

EINAR = "einar@blindeforbundet.example"
YEAR = datetime.now(UTC).year
# What the tests make, in the order in which it can go again.
GONE = """
    delete from public.bufdir_mapping_versions v using public.organizations o
    where o.id = v.organization_id and o.slug = 'blindeforbundet' and v.mapping_version > 1;
    delete from public.bufdir_category_mappings m
    using public.activity_types t join public.organizations o on o.id = t.organization_id
    where t.id = m.activity_type_id and o.slug = 'blindeforbundet' and m.mapping_version > 1;
    delete from public.counting_rules where source = 'Prøve';
    delete from public.bufdir_thresholds where bufdir_category_code = 'TRIAL';
    delete from public.activity_types where code = 'trial';
    delete from public.organization_units where name like 'Prøve%';
"""


@pytest.fixture
def einar(page: Page, stack: Stack, person: Any) -> Iterator[Any]:
    """An org admin at the screen, who can also ask the API."""
    sign_in(page, stack.api_url, EINAR)
    yield person(EINAR)
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute(GONE)


def card(page: Page, title: str) -> Locator:
    return page.locator(".card", has=page.get_by_role("heading", name=title, exact=True))


def saved(page: Page, words: str = "Lagret.") -> None:
    expect(page.locator("#notice")).to_have_text(words)


def test_units_are_made_renamed_closed_and_removed(page: Page, stack: Stack, einar: Any) -> None:
    open_page(page, stack, "units")
    page.get_by_label("Navn").fill("Prøvelag")
    page.get_by_role("button", name="Opprett").click()
    saved(page)
    (unit,) = einar.read("organization_units?select=id,kind,closed_on&name=eq.Prøvelag")
    assert (unit["kind"], unit["closed_on"]) == ("local", None)
    open_page(page, stack, f"units/{unit['id']}")
    page.get_by_label("Navn").fill("Prøvelag Nord")
    page.get_by_label("Nedlagt fra").fill(f"{YEAR + 1}-01-01")
    page.get_by_role("button", name="Lagre").click()
    saved(page)
    (unit,) = einar.read(f"organization_units?select=id,name,closed_on&id=eq.{unit['id']}")
    assert (unit["name"], unit["closed_on"]) == ("Prøvelag Nord", f"{YEAR + 1}-01-01")
    page.get_by_role("button", name="Fjern").click()
    expect(page.get_by_role("heading", name="Ny enhet")).to_be_visible()
    assert einar.read(f"organization_units?id=eq.{unit['id']}") == []


def test_types_thresholds_rules_and_categories(page: Page, stack: Stack, einar: Any) -> None:
    open_page(page, stack, "rules")
    types = card(page, "Aktivitetstyper")
    types.get_by_text("Ny type").first.click()
    types.get_by_label("Navn").fill("Prøvetype")
    types.get_by_label("Kode").fill("trial")
    types.get_by_role("button", name="Ny type").click()
    saved(page)
    (kind,) = einar.read("activity_types?select=id,label&code=eq.trial")
    assert kind["label"] == "Prøvetype"

    thresholds = card(page, "Krav fra Bufdir")
    thresholds.get_by_label("Kategori").fill("TRIAL")
    thresholds.get_by_label("Minst antall").fill("12")
    thresholds.get_by_role("button", name="Lagre").click()
    expect(thresholds.get_by_role("row", name=f"TRIAL {YEAR} 12")).to_be_visible()

    rules = card(page, "Regler for hva som teller")
    rules.get_by_text("Ny regel").click()
    rules.get_by_label("Type").select_option(label="Prøvetype")
    rules.get_by_label("Minst minutter").fill("45")
    rules.get_by_label("Hvor regelen står").fill("Prøve")
    rules.get_by_role("button", name="Lagre").click()
    rule = rules.get_by_role("row", name="Prøvetype")
    expect(rule).to_contain_text("45")
    rule.get_by_role("button", name="Fjern").click()
    expect(rule).to_have_count(0)

    categories = card(page, "Ny versjon av kategoriene")
    categories.get_by_label("Prøvetype").fill("GROUP")
    categories.get_by_role("button", name="Ta i bruk").click()
    saved(page, "Tatt i bruk.")
    (mapped,) = einar.read(
        f"bufdir_category_mappings?select=bufdir_category_code&activity_type_id=eq.{kind['id']}"
    )
    assert mapped["bufdir_category_code"] == "GROUP"
    (version,) = einar.read(f"bufdir_mapping_versions?select=mapping_version&valid_from_year=eq.{YEAR + 1}")
    assert version["mapping_version"] == 2


def test_settings_are_saved_and_on_record(page: Page, stack: Stack, einar: Any) -> None:
    (before,) = einar.read("organization_settings?select=max_chapter_assignments")
    chapters = before["max_chapter_assignments"]
    open_page(page, stack, "settings")
    for wanted in (chapters + 1, chapters):
        page.get_by_label("Så mange lag kan én person ha").fill(str(wanted))
        page.get_by_role("button", name="Lagre").click()
        expect(page.locator("tbody tr").first).to_contain_text(f"→ {wanted}")
        assert einar.read("organization_settings?select=max_chapter_assignments") == [
            {"max_chapter_assignments": wanted}
        ]


def test_a_year_is_locked_and_opened_with_a_reason(page: Page, stack: Stack, einar: Any) -> None:
    open_page(page, stack, "settings")
    years = card(page, "Låste år")
    years.get_by_label("År").fill(str(YEAR - 6))
    years.get_by_role("button", name="Lås", exact=True).click()
    saved(page, "Låst.")
    (locked,) = einar.read(f"reporting_years?select=locked_at&year=eq.{YEAR - 6}")
    assert locked["locked_at"] is not None
    years.get_by_label("Begrunnelse").fill("Prøve")
    years.get_by_role("button", name="Lås opp").click()
    saved(page, "Låst opp.")
    expect(years.get_by_text("Ingen år er låst.")).to_be_visible()
