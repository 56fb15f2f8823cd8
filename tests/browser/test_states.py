"""Each state says what it is: signed out, expired, switched off, the server gone and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import figure, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

KARI = "kari@nhf.example"


def test_a_wrong_password_is_told_in_words(page: Page, stack: Stack) -> None:
    page.goto(stack.api_url)
    page.get_by_label("E-post").fill(KARI)
    page.get_by_label("Passord").fill("something else")
    page.get_by_role("button", name="Logg inn").click()
    expect(page.get_by_text("Feil e-post eller passord.")).to_be_visible()


def test_a_session_is_kept_over_a_reload_until_one_signs_out(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, KARI)
    page.reload()
    expect(page.locator('[data-page="overview"]')).to_be_visible()
    page.get_by_role("button", name="Logg ut").click()
    expect(page.get_by_text("Du er logget ut.")).to_be_visible()
    expect(page.locator(".figures")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Logg inn")).to_be_visible()


EXPIRE = """(canRenew) => {
    const session = JSON.parse(localStorage.getItem("fersk"));
    session.expires_at = Math.round(Date.now() / 1000) - 60;
    if (!canRenew) session.refresh_token = "gone";
    localStorage.setItem("fersk", JSON.stringify(session));
}"""


def test_an_expired_session_is_renewed(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, KARI)
    before = page.evaluate("JSON.parse(localStorage.getItem('fersk')).access_token")
    page.evaluate(EXPIRE, arg=True)
    page.reload()
    expect(page.locator('[data-page="overview"]')).to_be_visible()
    assert page.evaluate("JSON.parse(localStorage.getItem('fersk')).expires_at * 1000 > Date.now()")
    assert before


def test_one_that_cannot_be_renewed_ends_at_the_sign_in(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, KARI)
    page.evaluate(EXPIRE, arg=False)
    page.reload()
    expect(page.get_by_role("heading", name="Logg inn")).to_be_visible()


@pytest.fixture
def switched_off(stack: Stack) -> Iterator[None]:
    switch = (
        "update public.organization_settings s set statistics_enabled = %s "
        "from public.organizations o where o.id = s.organization_id and o.slug = 'barnekreftforeningen'"
    )
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute(switch, (False,))
        try:
            yield
        finally:
            owner.execute(switch, (True,))


@pytest.mark.usefixtures("switched_off")
@pytest.mark.parametrize("email", ["eva@barnekreftforeningen.example", "stein@barnekreftforeningen.example"])
def test_switched_off_is_not_zero(page: Page, stack: Stack, email: str) -> None:
    sign_in(page, stack.api_url, email)
    expect(page.get_by_text("Statistikk er slått av for organisasjonen.")).to_be_visible()
    expect(page.locator(".kpi")).to_have_count(0)


def test_old_figures_are_greyed_with_their_age_until_the_server_is_back(
    page: Page, context: BrowserContext, stack: Stack
) -> None:
    sign_in(page, stack.api_url, KARI)
    shown = figure(page, "Aktiviteter")

    def gone(route: Route) -> None:
        route.abort("connectionrefused")

    context.route(re.compile(r"/(rest|functions)/v1/"), gone)
    page.evaluate("window.dispatchEvent(new Event('online'))")  # it looks at once
    said = page.get_by_text(re.compile(r"Tallene er fra kl\. .*, for \d+ s siden"))
    expect(said).to_be_visible()
    expect(page.locator("main.is-old")).to_be_visible()
    expect(page.get_by_text("Frakoblet")).to_be_visible()
    assert figure(page, "Aktiviteter") == shown
    context.unroute(re.compile(r"/(rest|functions)/v1/"), gone)
    expect(page.locator("main.is-old")).to_have_count(0)
    expect(page.get_by_text("Får ikke kontakt")).to_have_count(0)


def test_too_much_at_once_is_said_and_tried_again(page: Page, context: BrowserContext, stack: Stack) -> None:
    sign_in(page, stack.api_url, KARI)
    shown = figure(page, "Aktiviteter")

    def busy(route: Route) -> None:
        route.fulfill(status=429, json={"code": "rate_limited", "message": "Too many requests"})

    context.route(re.compile(r"/rest/v1/"), busy)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.get_by_text("For mange forsøk. Vent litt og prøv igjen.")).to_be_visible()
    assert figure(page, "Aktiviteter") == shown
    context.unroute(re.compile(r"/rest/v1/"), busy)
    expect(page.get_by_text("For mange forsøk.")).to_have_count(0)


def test_a_page_that_was_left_does_not_empty_the_next_ones_form(page: Page, stack: Stack) -> None:
    """The overview looks again while a summary is renewed; who has gone on meanwhile is not disturbed."""

    def renewed(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={"data": answer.json()["data"] | {"refreshing": True}})

    page.clock.install()
    page.route(re.compile("hierarchy-stats"), renewed)
    sign_in(page, stack.api_url, "hanne@hlf.example")
    page.goto(f"{stack.api_url}/#import")
    expect(page.locator('[data-page="import"]')).to_be_visible()
    page.locator("[name=text]").fill("unit,kind,parent\n,local,\n")
    page.clock.run_for(2000)
    page.get_by_role("button", name="Vis hva som endres").click()
    expect(page.locator("#import-result")).to_contain_text("Enheten mangler navn.")
    expect(page.locator("[name=text]")).to_have_value("unit,kind,parent\n,local,\n")
