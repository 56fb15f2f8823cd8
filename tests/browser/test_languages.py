"""Norwegian first; English for whoever asks for it, kept, with the page's language told to screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser.conftest import open_page, sign_in

if TYPE_CHECKING:
    from local.stack import Stack

KARI = "kari@nhf.example"


def test_the_language_is_switched_and_kept(page: Page, stack: Stack) -> None:
    page.goto(stack.api_url)
    expect(page.locator("html[lang=nb]")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html[lang=en]")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, stack.api_url, KARI)
    expect(page.get_by_role("link", name="Bufdir report")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_one_stays_where_one_is(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, KARI)
    open_page(page, stack, "bufdir/2025")
    expect(page.get_by_role("heading", name="Bufdir-rapport 2025")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Bufdir report 2025")).to_be_visible()
    # What the functions say, too.
    expect(page.get_by_text("No figures have been saved for this period.")).to_be_visible()
    page.get_by_role("button", name="Norsk").click()
    expect(page.get_by_role("heading", name="Bufdir-rapport 2025")).to_be_visible()
    expect(page.get_by_text("Det er ikke lagret tall for denne perioden.")).to_be_visible()


def test_a_refusal_is_told_in_english(page: Page, stack: Stack) -> None:
    page.goto(stack.api_url)
    page.get_by_role("button", name="English").click()
    page.get_by_label("Email").fill(KARI)
    page.get_by_label("Password").fill("something else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong email or password.")).to_be_visible()
