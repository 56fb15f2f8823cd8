"""Each role opens the console and sees the numbers that are theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import figure, open_page, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

YEAR = datetime.now(UTC).year
CHAPTERS = 1400


def counted(page: Page, label: str) -> int:
    return int(figure(page, label).replace("\xa0", ""))


def test_a_peer_mentor_sees_their_own_numbers(page: Page, stack: Stack, person: Any) -> None:
    ola = person("ola@nhf.example")
    (stats,) = ola.read(f"peer_mentor_stats?select=activity_count&peer_mentor_id=eq.{ola.id}")
    sign_in(page, stack.api_url, "ola@nhf.example")
    expect(page.get_by_role("heading", name="Mine tall")).to_be_visible()
    assert stats["activity_count"] > 0
    assert counted(page, "Alle år") == stats["activity_count"]
    page.get_by_text("Vis tallene som tabell").click()
    months = page.locator("details tbody tr").all_inner_texts()
    of_year = [row.split("\t") for row in months]
    assert sum(int(cells[1]) for cells in of_year) == counted(page, f"Aktiviteter {YEAR}")
    expect(page.get_by_role("link", name="Bufdir-rapport")).to_have_count(0)


def test_a_coordinator_sees_the_chapters_they_follow_up(page: Page, stack: Stack, person: Any) -> None:
    kari = person("kari@nhf.example")
    months = kari.call("get_activity_series", p_from=f"{YEAR}-01-01", p_to=f"{YEAR + 1}-01-01")
    sign_in(page, stack.api_url, "kari@nhf.example")
    assert counted(page, f"Aktiviteter {YEAR}") == sum(month["activity_count"] for month in months) > 0
    chapters = page.locator(".card", has=page.get_by_role("heading", name="Lag", exact=True))
    assert chapters.locator("tbody tr").count() == len(
        kari.read(f"chapter_assignments?profile_id=eq.{kari.id}")
    )
    page.get_by_role("link", name="Oslo", exact=True).click()
    expect(page.get_by_role("heading", name="Oslo", level=1)).to_be_visible()
    assert counted(page, "Ulike kontakter") > 0


def test_an_org_admin_goes_down_the_tree(page: Page, stack: Stack, person: Any) -> None:
    astrid = person("astrid@nhf.example")
    sign_in(page, stack.api_url, "astrid@nhf.example")
    page.get_by_role("link", name="NHF Akershus").click()
    expect(page.get_by_role("heading", name="NHF Akershus", level=1)).to_be_visible()
    (region,) = astrid.read("organization_units?select=id&name=eq.NHF Akershus")
    below = [each["id"] for each in astrid.read(f"chapters?select=id&parent_id=eq.{region['id']}")]
    months = astrid.call(
        "get_activity_series", p_from=f"{YEAR}-01-01", p_to=f"{YEAR + 1}-01-01", p_chapter_ids=below
    )
    assert counted(page, f"Aktiviteter {YEAR}") == sum(month["activity_count"] for month in months) > 0
    page.get_by_role("link", name="Bærum").click()
    expect(page.get_by_role("heading", name="Likepersoner")).to_be_visible()
    expect(page.get_by_role("navigation", name="Hvor du er")).to_contain_text("NHF Akershus")


@pytest.fixture
def many_chapters(stack: Stack) -> Iterator[None]:
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute(
            "insert into public.organization_units (organization_id, parent_id, kind, name) "
            "select u.organization_id, u.id, 'local', 'Lag nummer ' || n "
            "from public.organization_units u join public.organizations o on o.id = u.organization_id, "
            "     generate_series(1, %s) n "
            "where o.slug = 'blindeforbundet' and u.parent_id is null",
            (CHAPTERS,),
        )
        try:
            yield
        finally:
            owner.execute("delete from public.organization_units where name like 'Lag nummer %%'")


@pytest.mark.usefixtures("many_chapters")
def test_nothing_is_cut_from_a_long_list(page: Page, stack: Stack, person: Any) -> None:
    counts = {"prefer": "count=exact", "range": "0-0"}
    answer = person("einar@blindeforbundet.example").http.get("/rest/v1/organization_units", headers=counts)
    units = int(answer.headers["content-range"].partition("/")[2])
    assert units > CHAPTERS
    sign_in(page, stack.api_url, "einar@blindeforbundet.example")
    open_page(page, stack, "units")
    expect(page.locator("tbody tr")).to_have_count(25)
    assert page.locator(".pager").inner_text().replace("\xa0", "").endswith(f"25 av {units}")
    page.get_by_label("Søk").fill(f"nummer {CHAPTERS}")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody th")).to_have_text(f"Lag nummer {CHAPTERS}")
