from __future__ import annotations

import asyncio
import contextvars

import pytest

from _shared import trace

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_came_is_carried_on() -> None:
    trace.begin(GIVEN)
    assert trace.headers() == {"traceparent": GIVEN}
    assert trace.trace_id() == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "given",
    [None, "", "nonsense", GIVEN.upper(), GIVEN + "x", GIVEN[:-1], "00-" + "0" * 32 + GIVEN[35:]],
)
def test_what_is_no_trace_context_begins_anew(given: str | None) -> None:
    trace.begin(given)
    carried = trace.headers()["traceparent"]
    assert carried != given
    trace.begin(carried)
    assert trace.headers() == {"traceparent": carried}


def test_outside_of_a_request_there_is_none() -> None:
    outside = contextvars.Context()
    assert outside.run(trace.headers) == {}
    assert outside.run(trace.trace_id) is None


async def test_requests_at_the_same_time_do_not_mix() -> None:
    async def serve(number: int) -> str | None:
        trace.begin(f"00-{number:032x}-00f067aa0ba902b7-01")
        await asyncio.sleep(0)
        return trace.trace_id()

    served = await asyncio.gather(*(asyncio.create_task(serve(number)) for number in range(1, 9)))
    assert served == [f"{number:032x}" for number in range(1, 9)]
