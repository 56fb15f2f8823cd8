"""The way of the messages is cut and comes back: that is said, it is tried again, and nothing is missed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import ONLY_MESSAGES, expect_figure, figure, sign_in
from tests.support.activities import add_activity, like_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

YEAR = datetime.now(UTC).year
OLA_TALKS = """
    peer_mentor_id = (select id from auth.users where email = 'ola@nhf.example')
    and activity_type_id in (select id from public.activity_types where code = 'conversation')
"""
# When the page tried to open a socket.
TRIES = """
    window.tries = [];
    window.WebSocket = new Proxy(window.WebSocket, {
        construct(target, given) { window.tries.push(performance.now()); return new target(...given); },
    });
"""


class Way:
    """The sockets between the page and the stack's Realtime, which can be cut."""

    def __init__(self, page: Page) -> None:
        self.is_cut = False
        self.open: list[WebSocketRoute] = []
        page.route_web_socket("**/realtime/v1/websocket**", self.take)

    def take(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close(code=1011)
            return
        socket.connect_to_server()
        self.open.append(socket)

    def cut(self) -> None:
        self.is_cut = True
        for socket in self.open:
            socket.close(code=1011)
        self.open.clear()


@pytest.fixture
def later(stack: Stack) -> Iterator[Any]:
    """Register an activity of Kari's organisation; it goes again."""
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        added = []

        def register() -> None:
            place = like_one(owner, OLA_TALKS)
            added.append(add_activity(owner, **{**place, "occurred_at": datetime.now(UTC)}))

        yield register
        owner.execute("delete from public.activities where id = any(%s)", (added,))


def test_messages_come_again_and_nothing_is_missed(page: Page, stack: Stack, later: Any) -> None:
    way = Way(page)
    page.add_init_script(ONLY_MESSAGES + TRIES)  # later, so that it counts what the route makes of a socket
    sign_in(page, stack.api_url, "kari@nhf.example")
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    before = int(figure(page, f"Aktiviteter {YEAR}"))

    way.cut()
    expect(page.get_by_text("Kobler til …")).to_be_visible()
    later()
    page.wait_for_function("window.tries.length > 3")
    _, *again = page.evaluate("window.tries")
    waits = [after - earlier for earlier, after in pairwise(again)]
    assert [after > 1.5 * wait for wait, after in pairwise(waits)] == [True], waits
    assert int(figure(page, f"Aktiviteter {YEAR}")) == before  # nobody told it

    way.is_cut = False
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    expect_figure(page, f"Aktiviteter {YEAR}", str(before + 1))
