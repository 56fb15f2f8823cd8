from __future__ import annotations

import asyncio
import gc
from uuid import uuid4

import pytest

from _shared.callers import Service, User, Webhook
from _shared.http import places
from _shared.http.places import (
    AT_ONCE,
    AT_ONCE_OF_AN_ORGANIZATION,
    BUSY,
    FULL,
    WEBHOOKS_ADMITTED,
    WEBHOOKS_AT_ONCE,
    Places,
)
from _shared.network import CONNECTIONS
from _shared.result import Err, ErrorCode, Ok, Result
from _shared.tally import TALLY
from tests.support.credentials import make_user

GIVING_UP = 1000
LIMITED = Err(ErrorCode.RATE_LIMITED, retry_after_seconds=7)


class Work:
    """Calls under way, which end when they are told to."""

    def __init__(self) -> None:
        self.running = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> Result[str]:
        self.running += 1
        await self.may_end.wait()
        self.running -= 1
        return Ok("done")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def work() -> Work:
    return Work()


async def test_a_few_of_a_person_run_and_the_others_wait(work: Work) -> None:
    served, kari = Places(), make_user()
    calls = [asyncio.ensure_future(served.serve(kari, work)) for _ in range(AT_ONCE + 2)]
    await settle()
    assert work.running == AT_ONCE
    other = asyncio.ensure_future(served.serve(make_user(uuid4()), work))
    await settle()
    assert work.running == AT_ONCE + 1  # somebody else does not wait for them
    work.may_end.set()
    assert await asyncio.gather(*calls, other) == [Ok("done")] * (AT_ONCE + 3)


async def test_an_organisation_has_a_few_together(work: Work) -> None:
    served, ours = Places(), uuid4()
    people = [make_user(uuid4(), ours) for _ in range(AT_ONCE_OF_AN_ORGANIZATION + 2)]
    calls = [asyncio.ensure_future(served.serve(person, work)) for person in people]
    await settle()
    assert work.running == AT_ONCE_OF_AN_ORGANIZATION
    neighbour = asyncio.ensure_future(served.serve(make_user(uuid4(), uuid4()), work))
    await settle()
    assert work.running == AT_ONCE_OF_AN_ORGANIZATION + 1
    work.may_end.set()
    assert await asyncio.gather(*calls, neighbour) == [Ok("done")] * (AT_ONCE_OF_AN_ORGANIZATION + 3)


@pytest.mark.parametrize("caller", [Service(), Webhook("msg_1")], ids=["service", "webhook"])
async def test_our_own_calls_need_no_place(work: Work, caller: Service | Webhook) -> None:
    served = Places()
    calls = [asyncio.ensure_future(served.serve(caller, work)) for _ in range(AT_ONCE * 3)]
    await settle()
    assert work.running == AT_ONCE * 3
    work.may_end.set()
    assert await asyncio.gather(*calls) == [Ok("done")] * (AT_ONCE * 3)


async def test_webhooks_are_admitted_up_to_a_bound(work: Work) -> None:
    served = Places()
    refused_before = TALLY.refused["webhook"]
    calls = [
        asyncio.ensure_future(served.serve(Webhook(f"msg_{number}"), work)) for number in range(GIVING_UP)
    ]
    await settle()
    assert TALLY.at_work["webhook"] == WEBHOOKS_AT_ONCE
    assert TALLY.refused["webhook"] == refused_before + GIVING_UP - WEBHOOKS_ADMITTED
    assert work.running == WEBHOOKS_AT_ONCE < CONNECTIONS  # some are left for people
    refused = [call.result() for call in calls if call.done()]
    assert refused == [FULL] * (GIVING_UP - WEBHOOKS_ADMITTED)
    assert FULL.code.status == 503
    kari = asyncio.ensure_future(served.serve(make_user(), work))
    await settle()
    assert work.running == WEBHOOKS_AT_ONCE + 1  # who waits for none of them
    work.may_end.set()
    answers = await asyncio.gather(*calls, kari)
    assert answers.count(Ok("done")) == WEBHOOKS_ADMITTED + 1
    assert (TALLY.at_work["webhook"], TALLY.at_work["user"]) == (0, 0)
    assert await served.serve(Webhook("msg_later"), work) == Ok("done")


async def test_webhooks_that_give_up_leave_no_place_behind(work: Work) -> None:
    served = Places()
    for _ in range(3):
        calls = [
            asyncio.ensure_future(served.serve(Webhook(f"msg_{number}"), work)) for number in range(GIVING_UP)
        ]
        await settle()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert TALLY.at_work["webhook"] == 0
    work.running = 0
    calls = [asyncio.ensure_future(served.serve(Webhook("msg"), work)) for _ in range(WEBHOOKS_ADMITTED)]
    await settle()
    assert work.running == WEBHOOKS_AT_ONCE
    work.may_end.set()
    assert await asyncio.gather(*calls) == [Ok("done")] * WEBHOOKS_ADMITTED


async def test_a_webhook_does_not_wait_for_ever(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.02)
    served = Places()
    calls = [
        asyncio.ensure_future(served.serve(Webhook(f"msg_{number}"), work))
        for number in range(WEBHOOKS_AT_ONCE + 1)
    ]
    assert await calls[-1] == FULL
    work.may_end.set()
    assert await asyncio.gather(*calls[:-1]) == [Ok("done")] * WEBHOOKS_AT_ONCE


async def test_waiting_has_an_end(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.02)
    served, kari = Places(), make_user()
    calls = [asyncio.ensure_future(served.serve(kari, work)) for _ in range(AT_ONCE)]
    await settle()
    assert await served.serve(kari, work) == BUSY
    assert (BUSY.code.status, BUSY.retry_after_seconds) == (429, 1)
    work.may_end.set()
    assert await asyncio.gather(*calls) == [Ok("done")] * AT_ONCE
    assert await served.serve(kari, work) == Ok("done")


@pytest.mark.parametrize(
    ("rests", "then"), [(60, BUSY), (0.01, Ok("done"))], ids=["for-long", "for-a-moment"]
)
async def test_the_place_of_a_refusal_for_now_rests(
    work: Work, monkeypatch: pytest.MonkeyPatch, rests: float, then: Result[str]
) -> None:
    monkeypatch.setattr(places, "REST_SECONDS", rests)
    served, kari = Places(), make_user()

    async def refuse() -> Result[str]:
        return LIMITED

    work.may_end.set()
    # the answer itself does not wait
    assert await asyncio.gather(*(served.serve(kari, refuse) for _ in range(AT_ONCE))) == [LIMITED] * AT_ONCE
    assert await served.serve(make_user(uuid4()), work) == Ok("done")
    assert await served.serve(kari, work) == then


async def test_a_place_comes_back_whatever_happens(work: Work) -> None:
    served, kari = Places(), make_user()

    async def fail() -> Result[str]:
        raise ZeroDivisionError

    for _ in range(AT_ONCE * 2):
        with pytest.raises(ZeroDivisionError):
            await served.serve(kari, fail)
        cancelled = asyncio.ensure_future(served.serve(kari, Work()))
        await settle()
        cancelled.cancel()
        await settle()
    work.may_end.set()
    assert await served.serve(kari, work) == Ok("done")


async def test_who_is_gone_is_forgotten(work: Work) -> None:
    served = Places()
    work.may_end.set()
    people: list[User] = [make_user(uuid4()) for _ in range(20)]
    await asyncio.gather(*(served.serve(person, work) for person in people))
    await settle()
    gc.collect()
    assert len(served._of) == 0
