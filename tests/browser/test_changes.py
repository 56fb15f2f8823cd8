"""Figures follow: a form, a message, and without the functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import ONLY_MESSAGES, expect_figure, figure, open_page, sign_in
from tools.demo import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

YEAR = datetime.now(UTC).year


@pytest.fixture(autouse=True)
def taken_back(stack: Stack) -> Iterator[None]:
    """Activities that a test registers go again."""
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        (start,) = owner.execute("select clock_timestamp()").fetchone() or ()
        yield
        owner.execute("delete from public.activities where inserted_at > %s", (start,))


def test_what_one_registers_moves_the_figures(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, "ola@nhf.example")
    open_page(page, stack, "register")
    before = int(figure(page, f"Aktiviteter {YEAR}"))
    page.get_by_label("Type").select_option(label="Likepersonsamtale")
    page.get_by_role("button", name="Registrer", exact=True).click()
    expect(page.get_by_text(f"Registrert. Tallet på aktiviteter er nå {before + 1}.")).to_be_visible()
    assert int(figure(page, f"Aktiviteter {YEAR}")) == before + 1
    expect(page.locator(".kpi.changed").first).to_be_visible()


def test_what_was_saved_without_an_answer_is_not_called_refused(page: Page, stack: Stack) -> None:
    """PostgREST's answer when the database went away at the commit; the second try finds it there."""
    sign_in(page, stack.api_url, "ola@nhf.example")
    open_page(page, stack, "register")
    before = int(figure(page, f"Aktiviteter {YEAR}"))

    def lose(route: Route) -> None:
        assert route.fetch().ok
        route.fulfill(status=400, json={"code": "", "details": None, "hint": None, "message": ""})

    page.route(re.compile(r"/rest/v1/activities\?"), lose, times=1)
    page.get_by_label("Type").select_option(label="Likepersonsamtale")
    page.get_by_role("button", name="Registrer", exact=True).click()
    expect(page.get_by_text("Får ikke kontakt med serveren.")).to_be_visible()
    page.get_by_role("button", name="Registrer", exact=True).click()
    expect(page.get_by_text(f"Registrert. Tallet på aktiviteter er nå {before + 1}.")).to_be_visible()


def test_what_does_not_count_is_told_with_the_reason(page: Page, stack: Stack) -> None:
    sign_in(page, stack.api_url, "ola@nhf.example")
    open_page(page, stack, "register")
    before = figure(page, f"Aktiviteter {YEAR}")
    page.get_by_label("Type").select_option(label="Gruppemøte")
    page.get_by_label("Varighet i minutter").fill("10")
    page.get_by_role("button", name="Registrer", exact=True).click()
    expect(page.get_by_text("Registrert, men teller ikke: for kort.")).to_be_visible()
    assert figure(page, f"Aktiviteter {YEAR}") == before


def test_what_somebody_else_registers_comes_as_a_message(page: Page, stack: Stack, person: Any) -> None:
    page.add_init_script(ONLY_MESSAGES)
    sign_in(page, stack.api_url, "kari@nhf.example")
    expect(page.get_by_text("Direkte")).to_be_visible()
    before = int(figure(page, f"Aktiviteter {YEAR}"))
    ola = person("ola@nhf.example")
    (place,) = ola.read("chapter_assignments?select=unit_id")
    (kind,) = ola.read("activity_types?select=id&code=eq.conversation")
    activity = {"activity_type_id": kind["id"], "occurred_at": datetime.now(UTC).isoformat()}
    ola.write("POST", "activities", json={**place, **activity, "duration_minutes": 30})
    expect_figure(page, f"Aktiviteter {YEAR}", str(before + 1))


def test_the_demonstration_moves_the_figures_also_without_functions(
    page: Page, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(page, stack.api_url, "kari@nhf.example")
    before = int(figure(page, f"Aktiviteter {YEAR}"))
    assert demo(stack) == 0
    shown = capsys.readouterr().out
    assert [line.strip() for line in shown.splitlines() if "→" in line] == [
        f"{before} → {before + 1}",
        f"{before + 1} → {before + 2}",
    ]
    expect_figure(page, f"Aktiviteter {YEAR}", str(before + 2))
