"""Callers that give up, on the running stack: whatever they do, the next one is answered.

The long version is `make soak`; this is its minute, in seconds, and the same checks.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from _shared.http.places import FULL, WEBHOOKS_ADMITTED
from bench.soak import Seen, Server, call, is_well, soak

if TYPE_CHECKING:
    from local.stack import Stack

AT_ONCE = 1000


@pytest.fixture
def server(stack: Stack) -> Server:
    return Server(stack)


async def test_callers_that_give_up_at_random_leave_nothing_behind(server: Server) -> None:
    before = server.process().pid
    seen: Seen = await soak(server, seconds=6, round_seconds=6)
    assert [found.partition(";")[0] for found in seen.rounds] == ["well"]
    assert seen.gave_up > AT_ONCE  # those of the burst, and others
    assert seen.answers["200"] > 0
    assert server.process().pid == before


@pytest.mark.parametrize("what", ["health", "webhook"])
async def test_a_thousand_at_once_that_give_up_leave_no_slot(server: Server, what: str) -> None:
    for patience in (0.001, 0.05):
        requests = [server.health if what == "health" else server.webhook() for _ in range(AT_ONCE)]
        await asyncio.gather(*(call(server.port, request, patience) for request in requests))
        assert await is_well(server) == ""


async def test_webhooks_beyond_the_bound_are_told_so_at_once(server: Server) -> None:
    """With what is behind the functions standing still, so that none is done before all have come."""
    gateway = server.gateway()
    gateway.send_signal(signal.SIGSTOP)
    try:
        requests = [server.webhook() for _ in range(AT_ONCE)]
        answers = await asyncio.gather(*(call(server.port, request, 30) for request in requests))
    finally:
        gateway.send_signal(signal.SIGCONT)
    counted = Counter(answers)
    refused = str(FULL.code.status)
    assert counted.keys() <= {refused, "504"}
    assert counted[refused] >= AT_ONCE - WEBHOOKS_ADMITTED
    assert await is_well(server) == ""
    assert await call(server.port, server.webhook(), 10) == "200"
