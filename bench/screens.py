"""`make bench-screens`: how long each screen of the console takes, at the size of the running stack.

A browser opens every page that a person has, as an org admin, a coordinator and a peer mentor of the large
organisation (`make seed-large ROWS=1000000` makes one): until the page is there (shown), until its last part
is (whole), and each request that it made. The last line names the targets that were missed; only with
--strict is that a failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psycopg
from playwright.sync_api import sync_playwright
from rich.table import Table

from bench import verdicts
from bench.figures import Target
from local import command
from local.errors import StackError
from local.requirements import CHROMIUM
from local.stack import DEFAULT_STATE_DIR, Stack
from local.summary import PASSWORD
from tools.large.population import SLUG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page, Request

OUTPUT = Path(__file__).parent / "out" / "screens.json"
PEOPLE = {"admin": "admin", "coordinator": "coordinator-1", "mentor": "mentor-1"}
PARTS = ("postgres", "rest", "gateway", "functions")
LIMIT_MS, TOLD_MS, PATIENCE_MS = 1000, 100, 120_000
LAST_YEAR = datetime.now(UTC).year - 1
# Beside what the navigation names: the year that is reported is a whole one.
DEEPER = {"bufdir": (f"bufdir/{LAST_YEAR}",)}
# Busy from now on: the page itself is told of its new address a moment later.
OPEN = """address => {
    document.querySelector("main").setAttribute("aria-busy", "true");
    location.hash = address;
}"""
IS_THERE = "name => document.querySelector(`main[aria-busy=false] [data-page=${name}]`)"
IS_WHOLE = "!document.querySelector('main [aria-busy=true]')"
SIZE = """
    select count(*), (select count(*) from public.chapters c where c.organization_id = o.id)
    from public.organizations o join public.activities a on a.organization_id = o.id
    where o.slug = %s group by o.id
"""


@dataclass
class Screen:
    """What was measured of a page: milliseconds of each round, and of its requests by their name."""

    shown: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    requests: dict[str, list[list[float]]] = field(default_factory=dict)


def name_of(request: Request) -> str | None:
    """Name what is asked for, without whom or what it is about; None for the page's own files."""
    address = urlsplit(request.url)
    _, _, path = address.path.partition("/v1/")
    show = parse_qs(address.query).get("show")
    return (f"{path}?show={show[0]}" if show else path) or None


def open_page(page: Page, address: str, measured: Screen) -> None:
    """Open a page of the console, and wait for all of it."""
    finished: list[Request] = []

    def note(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", note)
    started = time.perf_counter()
    page.evaluate(OPEN, address)
    page.wait_for_function(IS_THERE, arg=address.partition("/")[0])
    measured.shown.append((time.perf_counter() - started) * 1000)
    page.wait_for_function(IS_WHOLE, timeout=PATIENCE_MS)
    measured.whole.append((time.perf_counter() - started) * 1000)
    page.remove_listener("requestfinished", note)
    took = defaultdict[str, list[float]](list)
    for request in finished:
        if name := name_of(request):
            took[name].append(request.timing["responseEnd"])
    measured.slowest.append(max(each for milliseconds in took.values() for each in milliseconds))
    for name, milliseconds in took.items():
        measured.requests.setdefault(name, []).append(milliseconds)


def measure(page: Page, url: str, email: str, rounds: int) -> dict[str, Screen]:
    """Give every page of a person with what it took."""
    page.goto(url)
    form = page.locator(".sign-in form")
    form.locator("[name=email]").fill(email)
    form.locator("[name=password]").fill(PASSWORD)
    form.locator("button").click()
    page.locator("[data-page]").wait_for()
    page.wait_for_function(IS_WHOLE, timeout=PATIENCE_MS)
    names = page.locator("nav li a").evaluate_all("links => links.map((each) => each.hash.slice(1))")
    found = {address: Screen() for name in names for address in (name, *DEEPER.get(name, ()))}
    for _ in range(rounds):
        for address, measured in found.items():
            open_page(page, address, measured)
    return found


def size(db_url: str) -> tuple[int, int]:
    """Count the large organisation's activities and chapters. Raises StackError if there is none."""
    with psycopg.connect(db_url) as connection:
        found = connection.execute(SIZE, [SLUG]).fetchone()
    if found is None:
        raise StackError(f"there is no organisation {SLUG}: make seed-large ROWS=1000000")
    return found


def tables(screens: dict[str, Screen]) -> Table:
    """Show the requests that take longest: of those of one name at one opening the slowest."""
    table = Table(title=f"Requests of {TOLD_MS} ms and more, median of the rounds")
    for column in ("screen", "request", "at one opening", "ms"):
        table.add_column(column, justify="right" if column in {"at one opening", "ms"} else "left")
    for name, screen in screens.items():
        for request, rounds in screen.requests.items():
            slowest = statistics.median(max(each) for each in rounds)
            if slowest >= TOLD_MS:
                table.add_row(name, request, str(len(rounds[0])), f"{slowest:,.0f}")
    return table


def run(rounds: int, *, strict: bool) -> int:
    """Measure, print and save. Returns the exit status."""
    stack = Stack.running(DEFAULT_STATE_DIR, parts=PARTS)
    activities, chapters = size(stack.db_url)
    screens: dict[str, Screen] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for role, person in PEOPLE.items():
            with closing(browser.new_page()) as page:
                found = measure(page, stack.api_url, f"{person}@{SLUG}.example", rounds)
            screens |= {f"{role}_{address.replace('/', '_')}": screen for address, screen in found.items()}
        browser.close()
    figures = {
        f"{name}_{what}_ms": statistics.median(getattr(screen, what))
        for what in ("shown", "slowest", "whole")
        for name, screen in screens.items()
    }
    console = command.tables()
    console.print(tables(screens))
    title = f"Screens with {activities:,} activities in {chapters:,} chapters: shown, slowest request, whole"
    targets = dict.fromkeys(figures, Target(LIMIT_MS))
    table, missed = verdicts.table(title, figures, targets, unmeasured="not measured", digits=0)
    console.print(table)
    verdicts.save(OUTPUT, figures | {"activities": activities, "chapters": chapters}, targets, digits=0)
    console.print(f"written to {OUTPUT}")
    return verdicts.conclude(console, missed, strict=strict)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.screens", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each is opened (default %(default)s)"
    )
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    rounds = 1 if arguments.quick else arguments.rounds
    return command.run(lambda: run(rounds, strict=arguments.strict))


if __name__ == "__main__":
    sys.exit(main())
