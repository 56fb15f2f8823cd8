"""A report is sent, then activities change: the screen says what was done, and it adds up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import open_page, sign_in
from tests.support.activities import add_activity, like_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.stack import Stack

YEAR = datetime.now(UTC).year - 5  # which nothing else reports
COORDINATOR, ADMIN = "stein@barnekreftforeningen.example", "mona@barnekreftforeningen.example"
JON = "jon@barnekreftforeningen.example"
OF_JON = """
    peer_mentor_id = (select id from auth.users where email = 'jon@barnekreftforeningen.example')
    and activity_type_id in (select id from public.activity_types where code = 'conversation')
"""
Effect = tuple[float, float]


class Year:
    """The year's activities of Jon."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self.owner = owner
        self.like = like_one(owner, OF_JON)
        self.ids: list[UUID] = []

    def add(self, day: int) -> UUID:
        moment = datetime(YEAR, 3, day, 12, tzinfo=UTC)
        self.ids.append(add_activity(self.owner, **{**self.like, "occurred_at": moment}))
        return self.ids[-1]

    def remove(self, *ids: UUID) -> None:
        self.owner.execute("delete from public.activities where id = any(%s)", [list(ids)])


@pytest.fixture
def year(stack: Stack) -> Iterator[Year]:
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        year = Year(owner)
        yield year
        year.remove(*year.ids)


def effects(table: Locator) -> dict[str, Effect]:
    """What each row says: activities and hours."""
    rows = [row.split("\t") for row in table.locator("tbody tr").all_inner_texts()]
    numbers = [
        [float(cell.replace("\N{MINUS SIGN}", "-").replace(",", ".")) for cell in cells] for _, *cells in rows
    ]
    return {
        row[0].strip(): (activities, hours) for row, (activities, hours) in zip(rows, numbers, strict=True)
    }


def report(page: Page, stack: Stack) -> None:
    """Prepare as a coordinator; approve and send as the org admin, who stays signed in."""
    sign_in(page, stack.api_url, COORDINATOR)
    open_page(page, stack, f"bufdir/{YEAR}")
    page.get_by_role("button", name="Beregn på nytt").click()
    expect(page.get_by_text("Beregnet og lagret.")).to_be_visible()
    page.get_by_role("button", name="Klargjør rapport").click()
    expect(page.locator('[data-version="1"]')).to_contain_text("Klargjort")
    expect(page.locator("[data-difference]")).to_have_count(0)  # says what every activity was
    page.get_by_role("button", name="Logg ut").click()
    sign_in(page, stack.api_url, ADMIN)
    open_page(page, stack, f"bufdir/{YEAR}")
    page.get_by_role("button", name="Godkjenn").click()
    page.get_by_role("button", name="Merk som sendt").click()
    expect(page.locator('[data-version="1"]')).to_contain_text("Sendt")


def test_the_explanation_adds_up_on_the_screen(page: Page, stack: Stack, year: Year, person: Any) -> None:
    edited, removed, *_ = (year.add(day) for day in range(1, 6))
    report(page, stack)
    page.get_by_text("Hvorfor er tallene endret?").click()
    expect(page.get_by_text("Ingen forskjell: tallene er de samme nå.")).to_be_visible()

    person(JON).write("PATCH", f"activities?id=eq.{edited}", json={"duration_minutes": 90})
    year.remove(removed)
    year.add(11)
    year.add(12)

    page.reload()
    page.get_by_text("Hvorfor er tallene endret?").click()
    told = page.locator('[data-difference="1"]')
    expect(told.locator("table")).to_have_count(3)
    done, chapters, people = (effects(table) for table in told.locator("table").all())
    assert done == {
        "Registrert senere: 2": (2, 2),
        "Slettet: 1": (-1, -1),
        "Rettet: 1": (0, 0.5),
        "Sum siden rapporten": (1, 1.5),
    }
    assert chapters == {"Vestland": (1, 1.5)}
    assert people == {"Jon Likeperson": (1, 1.5)}
