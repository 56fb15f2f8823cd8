"""`python -m tools.screenshots`: pictures of the console of the running stack, for the documentation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from local import command
from local.requirements import CHROMIUM, ROOT
from local.stack import DEFAULT_STATE_DIR, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

TARGET = ROOT / "docs" / "pictures"
PASSWORD = "password"  # noqa: S105 - of the seeded accounts, for local use only
PARTS = ("postgres", "rest", "gateway", "functions")
PAGES = {
    "ola@nhf.example": ("mine",),
    "kari@nhf.example": ("overview", "register", "bufdir"),
    "astrid@nhf.example": ("people", "import"),
}


def sign_in(page: Page, url: str, email: str) -> None:
    """Open the console as somebody."""
    page.goto(url)
    page.get_by_label("E-post").fill(email)
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn").click()
    page.locator("[data-page]").wait_for()


def take(stack: Stack) -> int:
    """Take a picture of each page, as the one whose page it is."""
    TARGET.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for email, pages in PAGES.items():
            page = browser.new_page(viewport={"width": 1180, "height": 820}, color_scheme="light")
            sign_in(page, f"{stack.api_url}/", email)
            for name in pages:
                page.goto(f"{stack.api_url}/#{name}")
                page.locator(f'[data-page="{name}"]').wait_for()
                page.get_by_text("Direkte").wait_for()
                page.screenshot(path=TARGET / f"console-{name}.png")
        browser.close()
    return 0


def main() -> int:
    """Run the command. Returns the exit status."""
    return command.run(lambda: take(Stack.running(DEFAULT_STATE_DIR, parts=PARTS)))


if __name__ == "__main__":
    sys.exit(main())
