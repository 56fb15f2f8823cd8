"""No serious finding of axe on any page, in light and dark, in both languages; nothing wider than a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from local.requirements import NODE_MODULES
from tests.browser.conftest import IN_ENGLISH, open_page, sign_in

if TYPE_CHECKING:
    from local.stack import Stack

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
PAGES = {
    "ola@nhf.example": ("mine", "register"),
    "kari@nhf.example": ("overview", "bufdir"),
    "astrid@nhf.example": ("overview", "people", "units", "rules", "import", "settings"),
}
SERIOUS = """async () => (await axe.run()).violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(", ")}`)"""
PHONE = 390


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("email", PAGES)
def test_axe_finds_nothing_serious(
    browser: Browser, stack: Stack, email: str, scheme: str, language: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    if language == "en":
        page.add_init_script(IN_ENGLISH)
    try:
        page.goto(stack.api_url)
        expect(page.locator(f"html[lang={language}] .sign-in")).to_be_visible()
        page.add_script_tag(path=AXE)
        assert page.evaluate(SERIOUS) == []
        sign_in(page, stack.api_url, email)
        page.add_script_tag(path=AXE)
        for name in PAGES[email]:
            open_page(page, stack, name)
            assert (name, page.evaluate(SERIOUS)) == (name, [])
    finally:
        page.close()


def test_axe_would_find_a_field_without_a_label(browser: Browser, stack: Stack) -> None:
    page = browser.new_page()
    try:
        page.goto(stack.api_url)
        expect(page.get_by_role("heading", name="Logg inn")).to_be_visible()
        page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
        page.add_script_tag(path=AXE)
        assert page.evaluate(SERIOUS) == ["label: textarea"]
    finally:
        page.close()


@pytest.mark.parametrize("email", PAGES)
def test_nothing_is_wider_than_a_phone(browser: Browser, stack: Stack, email: str) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 800})
    try:
        sign_in(page, stack.api_url, email)
        for name in PAGES[email]:
            open_page(page, stack, name)
            assert (name, page.evaluate("document.documentElement.scrollWidth")) == (name, PHONE)
    finally:
        page.close()


def test_the_keyboard_skips_to_the_content_of_the_same_page(browser: Browser, stack: Stack) -> None:
    page = browser.new_page()
    try:
        sign_in(page, stack.api_url, "ola@nhf.example")
        open_page(page, stack, "register")
        page.get_by_role("link", name="Hopp til innholdet").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        expect(page.locator('[data-page="register"]')).to_be_visible()
    finally:
        page.close()


def test_the_keyboard_signs_in_and_opens_a_page(browser: Browser, stack: Stack) -> None:
    page = browser.new_page()
    try:
        page.goto(stack.api_url)
        page.get_by_label("E-post").focus()
        page.keyboard.type("ola@nhf.example")
        page.keyboard.press("Tab")
        page.keyboard.type("password")
        page.keyboard.press("Enter")
        expect(page.locator('[data-page="mine"]')).to_be_visible()
        page.get_by_role("link", name="Registrer").focus()
        page.keyboard.press("Enter")
        expect(page.locator('[data-page="register"]')).to_be_visible()
        assert page.evaluate("document.activeElement.id") == "main"
    finally:
        page.close()
