from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from _shared.database.hierarchy import WarmUpReport
from _shared.result import Err, ErrorCode, Ok, Result
from _shared.warm_up import WarmUps
from tests.support.examples import HLF, NHF

if TYPE_CHECKING:
    from uuid import UUID

AWAY = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
ONE = WarmUpReport(warmed=1, skipped=2)


@dataclass
class Work:
    """A warm-up that lasts until `gate` opens; knows how many ran at once."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[UUID] = field(default_factory=list)
    running: int = 0
    most_at_once: int = 0
    failing: UUID | None = None

    async def __call__(self, organization_id: UUID) -> Result[WarmUpReport]:
        self.begun.append(organization_id)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        return AWAY if organization_id == self.failing else Ok(ONE)


async def settle() -> None:
    """Let every task get as far as it gets."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_organisations_have_their_turn_one_after_the_other() -> None:
    work, warm_ups = Work(), WarmUps()
    both = asyncio.gather(warm_ups.run([NHF], work), warm_ups.run([HLF], work))
    await settle()
    assert work.begun == [NHF]
    work.gate.set()
    assert list(await both) == [Ok(ONE), Ok(ONE)]
    assert (work.begun, work.most_at_once) == ([NHF, HLF], 1)


async def test_what_is_asked_for_during_a_turn_gets_one_more_however_often_it_is_asked_for() -> None:
    work, warm_ups = Work(), WarmUps()
    runs = [asyncio.create_task(warm_ups.run([NHF], work)) for _ in range(10)]
    await settle()
    work.gate.set()
    nothing = WarmUpReport(warmed=0, skipped=0)
    assert await asyncio.gather(*runs) == [Ok(ONE), Ok(ONE)] + [Ok(nothing)] * 8
    assert work.begun == [NHF, NHF]


async def test_turns_add_up_and_can_be_had_again() -> None:
    work, warm_ups = Work(), WarmUps()
    work.gate.set()
    for _ in range(2):
        assert await warm_ups.run([NHF, HLF], work) == Ok(WarmUpReport(warmed=2, skipped=4))
    assert work.begun == [NHF, HLF, NHF, HLF]


async def test_one_failure_is_told_and_keeps_nobody_from_their_turn() -> None:
    work, warm_ups = Work(failing=NHF), WarmUps()
    work.gate.set()
    assert await warm_ups.run([NHF, HLF], work) == AWAY
    assert work.begun == [NHF, HLF]


async def test_a_run_that_is_cancelled_blocks_nobody() -> None:
    work, warm_ups = Work(), WarmUps()
    begun, waiting = (asyncio.create_task(warm_ups.run([one], work)) for one in (NHF, HLF))
    await settle()
    for task in (waiting, begun):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    work.gate.set()
    assert await warm_ups.run([NHF, HLF], work) == Ok(WarmUpReport(warmed=2, skipped=4))
