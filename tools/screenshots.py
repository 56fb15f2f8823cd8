"""`make screenshots`: pictures of the console for the documentation, on a stack of its own.

A report that was prepared stays for ever: so the yearly round is played where nobody keeps anything.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from playwright.sync_api import sync_playwright

from local import command
from local.config import Ports
from local.requirements import CHROMIUM, ROOT
from local.stack import Stack
from local.summary import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

TARGET = ROOT / "docs" / "pictures"
STATE_DIR = ROOT / ".stack-screenshots"
PEER_MENTOR, COORDINATOR, ADMIN = "ola@nhf.example", "kari@nhf.example", "astrid@nhf.example"
LAST_YEAR = datetime.now(UTC).year - 1
# In English, as the documentation is; but the phone's are in Norwegian.
LOOK = {"viewport": {"width": 1180, "height": 820}, "locale": "en-GB", "timezone_id": "Europe/Oslo"}
PHONE = {"viewport": {"width": 390, "height": 820}, "locale": "nb-NO"}
PAGES = {COORDINATOR: ("register",), ADMIN: ("people", "import")}

IS_READ = "!document.querySelector('[data-page] [aria-busy=true]')"
# Where on the page some steps of the Bufdir year are, with a margin.
AROUND_STEPS = """([first, last]) => {
    const [top, bottom] = [first, last].map((step) =>
        document.querySelectorAll(".steps > .card")[step - 1].getBoundingClientRect());
    return { x: top.x - 12, y: top.y + scrollY - 12, width: top.width + 24,
             height: bottom.bottom - top.y + 24 };
}"""
# What somebody registered twice.
TWICE = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
        occurred_at, duration_minutes, participant_count)
    select a.organization_id, a.unit_id, a.peer_mentor_id, a.peer_mentor_id, a.activity_type_id,
           a.occurred_at, a.duration_minutes + 15, a.participant_count
    from public.activities a
    join public.profiles p on p.id = a.peer_mentor_id
    where p.display_name like 'Liv %%' and a.is_counted
      and a.activity_date between make_date(%s, 2, 1) and make_date(%s, 11, 30)
    order by a.duration_minutes, a.id limit 1
"""


@dataclass(frozen=True)
class Studio:
    """What pictures are taken with, and where they go."""

    browser: Browser
    stack: Stack
    target: Path


class Console:
    """The console as somebody sees it."""

    def __init__(self, page: Page, studio: Studio) -> None:
        self.page, self.stack, self.target = page, studio.stack, studio.target

    def open(self, name: str) -> None:
        """Open a page, and wait until it is there and hears of changes."""
        self.page.goto(f"{self.stack.api_url}/#{name}")
        self.page.locator(f'[data-page="{name.partition("/")[0]}"]').wait_for()
        self.page.locator("#pulse[data-state=live]").wait_for()
        self.page.wait_for_function(IS_READ)

    def press(self, name: str, said: str) -> None:
        """Press a button, and wait for what it says then."""
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.page.locator("#notice", has_text=said).wait_for()

    def take(self, name: str) -> None:
        """Take a picture of what is on the screen."""
        self.page.evaluate("document.activeElement.blur()")
        self.page.screenshot(path=self.target / f"console-{name}.png", animations="disabled")

    def take_steps(self, name: str, first: int, last: int) -> None:
        """Take a picture of some of the steps of the Bufdir year."""
        self.page.wait_for_function(IS_READ)
        clip = self.page.evaluate(AROUND_STEPS, [first, last])
        path = self.target / f"year-{name}.png"
        self.page.screenshot(path=path, clip=clip, full_page=True, style="#notice { display: none }")


@contextmanager
def console(studio: Studio, email: str, **look: Any) -> Iterator[Console]:
    """Sign in as somebody; `look` is what a browser's page is made with."""
    page = studio.browser.new_page(**(LOOK | look))
    language = "nb" if look.get("locale") == "nb-NO" else "en"
    page.add_init_script(f"localStorage.setItem('language-of-the-console', '{language}')")
    page.goto(studio.stack.api_url)
    form = page.locator(".sign-in form")
    form.locator("[name=email]").fill(email)
    form.locator("[name=password]").fill(PASSWORD)
    form.locator("button").click()
    page.locator("[data-page]").wait_for()
    yield Console(page, studio)
    page.close()


def take_pages(studio: Studio) -> None:
    """Take a picture of each page as one whose page it is; the overview also in dark, and on a phone."""
    for email, names in PAGES.items():
        with console(studio, email) as shown:
            for name in names:
                shown.open(name)
                shown.take(name)
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        with console(studio, COORDINATOR, color_scheme=scheme) as shown:
            shown.open("overview")
            shown.take(f"overview{suffix}")
        with console(studio, PEER_MENTOR, color_scheme=scheme, **PHONE) as shown:
            shown.open("mine")
            shown.take(f"phone{suffix}")


def play_the_year(studio: Studio) -> None:
    """Play the yearly round of last year, from corrections to the question why a figure differs."""
    year = f"bufdir/{LAST_YEAR}"
    with psycopg.connect(studio.stack.db_url) as owner:
        owner.execute(TWICE, (LAST_YEAR, LAST_YEAR))
    with console(studio, COORDINATOR) as shown:
        shown.open(year)
        shown.take_steps("check", 1, 3)
    with console(studio, ADMIN) as shown:
        shown.open("settings")
        shown.press("Lock", "Locked.")
        shown.take("settings")
    with console(studio, COORDINATOR) as shown:
        shown.open(year)
        shown.press("Compute again", "Computed and saved.")
        shown.press("Prepare a report", "Somebody else must approve it.")
        shown.take_steps("prepared", 4, 5)
    with console(studio, ADMIN) as shown:
        shown.open(year)
        shown.press("Approve", "Approved.")
        shown.take_steps("approved", 5, 5)
        shown.press("Mark as sent", "Marked as sent.")
        shown.open("settings")
        shown.page.get_by_label("Reason").fill("The auditor found a meeting that was registered twice")
        shown.press("Unlock", "Unlocked.")
        shown.open(year)
        shown.press("Same activity", "Saved.")
        shown.page.get_by_text("Why have the figures changed?").click()
        shown.page.locator("[data-difference] table").first.wait_for()
        shown.take_steps("why", 5, 5)


def take(target: Path = TARGET) -> int:
    """Take all pictures."""
    target.mkdir(exist_ok=True)
    stack = Stack(STATE_DIR, Ports.free())
    try:
        stack.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            studio = Studio(browser, stack, target)
            take_pages(studio)
            play_the_year(studio)
            browser.close()
    finally:
        stack.destroy()
    return 0


def main() -> int:
    """Run the command. Returns the exit status."""
    return command.run(take)


if __name__ == "__main__":
    sys.exit(main())
