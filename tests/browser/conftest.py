"""A real browser on the console of the session's stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.requirements import CHROMIUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PASSWORD = "password"
# Sums without the look that the page takes now and then: what moves it is a message.
ONLY_MESSAGES = """
    const every = window.setInterval;
    window.setInterval = (act, milliseconds) => (milliseconds === 10000 ? 0 : every(act, milliseconds));
"""


IN_ENGLISH = "localStorage.setItem('language-of-the-console', 'en')"


@dataclass
class Person:
    """Somebody who asks the API beside the browser."""

    http: httpx.Client
    id: str

    def read(self, path: str) -> Any:
        return self.http.get(f"/rest/v1/{path}").raise_for_status().json()

    def call(self, name: str, **parameters: Any) -> Any:
        return self.http.post(f"/rest/v1/rpc/{name}", json=parameters).raise_for_status().json()

    def write(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, f"/rest/v1/{path}", **options).raise_for_status()


# Of the package, not of the session: while it is there, its event loop is in the way of other tests' loops.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: make setup-tests"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    expect.set_options(timeout=15_000)
    context = browser.new_context(locale="nb-NO", timezone_id="Europe/Oslo")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script fails."""
    page = context.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    assert failed == []


def sign_in(page: Page, url: str, email: str) -> None:
    page.goto(url)
    form = page.locator(".sign-in form")
    form.locator("[name=email]").fill(email)
    form.locator("[name=password]").fill(PASSWORD)
    form.locator("button").click()
    expect(page.locator("[data-page]")).to_be_visible()


def open_page(page: Page, stack: Stack, name: str) -> None:
    page.goto(f"{stack.api_url}/#{name}")
    expect(page.locator(f'[data-page="{name.partition("/")[0]}"]')).to_be_visible()
    expect(page.locator("[data-page] [aria-busy=true]")).to_have_count(0)


def figure(page: Page, label: str) -> Any:
    """The value on a card; what is below it is left out."""
    shown = page.locator(".kpi", has=page.locator("dt", has_text=label)).locator("dd").first
    return shown.evaluate("each => each.firstChild.textContent")


def expect_figure(page: Page, label: str, value: str) -> None:
    card = page.locator(".kpi", has=page.locator("dt", has_text=label))
    expect(card.locator("dd")).to_contain_text(value)


@pytest.fixture
def person(stack: Stack) -> Iterator[Any]:
    """Sign somebody in at the API."""
    opened: list[httpx.Client] = []

    def as_person(email: str) -> Person:
        client = httpx.Client(base_url=stack.api_url, headers={"apikey": stack.publishable_key}, timeout=30)
        opened.append(client)
        account = {"email": email, "password": PASSWORD}
        answer = client.post("/auth/v1/token?grant_type=password", json=account)
        session = answer.raise_for_status().json()
        client.headers["authorization"] = f"Bearer {session['access_token']}"
        return Person(client, session["user"]["id"])

    yield as_person
    for client in opened:
        client.close()
