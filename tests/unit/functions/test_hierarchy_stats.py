from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from _shared.background import SingleFlight
from _shared.database.hierarchy import HierarchyEntry
from _shared.http.request import Call
from _shared.result import Err, ErrorCode, Ok, Result
from hierarchy_stats import (
    FLUSH_READS,
    FLUSH_SECONDS,
    MAX_AT_ONCE,
    HierarchyQuery,
    ReadCounter,
    summarise,
)
from tests.support.credentials import make_user
from tests.support.examples import UNIT, make_entry, make_payload
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping

TODAY = date(2026, 3, 14)
AWAY = Err(ErrorCode.UPSTREAM_UNAVAILABLE)


def make_call(database: FakeDatabase, **query: Any) -> Call[HierarchyQuery]:
    values = HierarchyQuery.model_validate({"unit_id": UNIT} | query)
    return Call("GET", make_user(), values, database)


def make_recomputations() -> SingleFlight[tuple[UUID, int]]:
    return SingleFlight(MAX_AT_ONCE)


async def run_after(call: Call[HierarchyQuery]) -> list[Any]:
    return [await work() for work in call.after]


async def test_a_fresh_summary_is_the_answer() -> None:
    entry = make_entry(year=2025, stale=False)
    database = FakeDatabase(read_hierarchy_stats=entry)
    call = make_call(database, year=2025)
    answer = await summarise(call, make_recomputations(), ReadCounter(), TODAY)
    assert isinstance(answer, Ok)
    assert answer.value.model_dump() == entry.model_dump() | {"refreshing": False}
    assert database.asked == [("read_hierarchy_stats", call.user, UNIT, 2025)]
    await run_after(call)
    assert "refresh_hierarchy_entry" not in database.calls


async def test_without_a_year_it_is_the_current_one() -> None:
    database = FakeDatabase()
    await summarise(make_call(database), make_recomputations(), ReadCounter(), date(2031, 1, 1))
    assert database.asked[0][-1] == 2031


async def test_a_stale_summary_is_given_at_once_and_computed_behind_the_answer() -> None:
    database = FakeDatabase(read_hierarchy_stats=make_entry(stale=True))
    call = make_call(database, year=2026)
    answer = await summarise(call, make_recomputations(), ReadCounter(), TODAY)
    assert isinstance(answer, Ok)
    assert (answer.value.stale, answer.value.refreshing) == (True, True)
    assert database.calls == ["read_hierarchy_stats"]
    await run_after(call)
    assert database.asked[1] == ("refresh_hierarchy_entry", UNIT, 2026)


@pytest.mark.parametrize(
    "failure",
    [Err(ErrorCode.FORBIDDEN, cause="42501"), Err(ErrorCode.FEATURE_DISABLED, cause="PT423"), AWAY],
    ids=lambda failure: failure.code,
)
async def test_what_the_database_refuses_is_refused_and_not_counted(failure: Err) -> None:
    reads = ReadCounter()
    database = FakeDatabase(failures={"read_hierarchy_stats": failure})
    call = make_call(database)
    assert await summarise(call, make_recomputations(), reads, TODAY) == failure
    assert call.after == []
    assert await reads.flush(database) is None


class BrokenCache(FakeDatabase):
    """One whose cached summary nobody can read, until it is computed anew."""

    def _answer_read_hierarchy_stats(self, p_unit_id: UUID, p_year: int) -> dict[str, Any]:
        entry = super()._answer_read_hierarchy_stats(p_unit_id, p_year)
        if "refresh_hierarchy_entry" in self.calls:
            return entry
        return entry | {"payload": make_payload(approved_expenses_nok="NaN")}


async def test_a_summary_that_cannot_be_read_is_computed_anew() -> None:
    database = BrokenCache()
    answer = await summarise(make_call(database, year=2026), make_recomputations(), ReadCounter(), TODAY)
    assert isinstance(answer, Ok)
    assert answer.value.payload.approved_expenses_nok == Decimal("1234.5")
    assert database.calls == ["read_hierarchy_stats", "refresh_hierarchy_entry", "read_hierarchy_stats"]


async def test_a_recomputation_that_fails_is_told_to_the_log() -> None:
    database = FakeDatabase(
        read_hierarchy_stats=make_entry(stale=True), failures={"refresh_hierarchy_entry": AWAY}
    )
    call = make_call(database)
    assert isinstance(await summarise(call, make_recomputations(), ReadCounter(), TODAY), Ok)
    assert (await run_after(call))[0] == AWAY


# --- computing anew -------------------------------------------------------------------------------------


class SlowDatabase(FakeDatabase):
    """One whose computations last until `gate` opens."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.gate = asyncio.Event()

    async def refresh_hierarchy_entry(self, unit_id: UUID, year: int) -> Result[bool]:
        answer = await super().refresh_hierarchy_entry(unit_id, year)
        await self.gate.wait()
        return answer


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_many_readers_of_a_stale_summary_cause_one_computation() -> None:
    database = SlowDatabase(read_hierarchy_stats=make_entry(stale=True))
    recomputations, reads = make_recomputations(), ReadCounter()
    calls = [make_call(database) for _ in range(20)]
    answers = [await summarise(call, recomputations, reads, TODAY) for call in calls]
    assert all(isinstance(answer, Ok) and answer.value.refreshing for answer in answers)
    behind = [asyncio.create_task(run_after(call)) for call in calls]
    await settle()
    assert database.calls.count("refresh_hierarchy_entry") == 1
    late = make_call(database)
    answer = await summarise(late, recomputations, reads, TODAY)
    assert isinstance(answer, Ok)
    assert answer.value.refreshing
    database.gate.set()
    await asyncio.gather(*behind)
    assert database.calls.count("refresh_hierarchy_entry") == 1
    await run_after(late)  # the next time it is stale, it is computed again
    assert database.calls.count("refresh_hierarchy_entry") == 2


async def test_with_no_room_left_a_stale_summary_does_not_say_that_it_is_refreshing() -> None:
    database = SlowDatabase(read_hierarchy_stats=make_entry(stale=True))
    recomputations = make_recomputations()
    others = [
        asyncio.create_task(
            recomputations.run((other, 2026), partial(database.refresh_hierarchy_entry, other, 2026))
        )
        for other in (uuid4() for _ in range(MAX_AT_ONCE))
    ]
    await settle()
    answer = await summarise(make_call(database), recomputations, ReadCounter(), TODAY)
    assert isinstance(answer, Ok)
    assert (answer.value.stale, answer.value.refreshing) == (True, False)
    database.gate.set()
    await asyncio.gather(*others)


# --- counting reads -------------------------------------------------------------------------------------


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


async def test_the_first_read_is_written_down_and_those_within_the_next_seconds_are_not() -> None:
    clock, database, other = Clock(), FakeDatabase(), uuid4()
    reads = ReadCounter(clock)
    reads.add(UNIT)
    assert await reads.flush(database) == Ok(1)
    for unit_id in (UNIT, other, UNIT):
        reads.add(unit_id)
        clock.now += FLUSH_SECONDS / 4
        assert await reads.flush(database) is None
    clock.now += FLUSH_SECONDS / 4
    assert await reads.flush(database) == Ok(2)
    assert database.asked == [
        ("record_node_reads", {str(UNIT): 1}),
        ("record_node_reads", {str(UNIT): 2, str(other): 1}),
    ]


async def test_a_hundred_reads_are_written_down_at_once() -> None:
    clock, database = Clock(), FakeDatabase()
    reads = ReadCounter(clock)
    for count in range(1, 2 * FLUSH_READS + 2):
        reads.add(UNIT)
        await reads.flush(database)
        assert database.reads[UNIT] == 1 + (count - 1) // FLUSH_READS * FLUSH_READS
    assert database.calls.count("record_node_reads") == 3


async def test_without_reads_nothing_is_written() -> None:
    clock, database = Clock(), FakeDatabase()
    reads = ReadCounter(clock)
    clock.now += 10 * FLUSH_SECONDS
    assert await reads.flush(database) is None
    assert database.calls == []


async def test_reads_that_could_not_be_written_are_kept_for_the_next_time() -> None:
    clock, database = Clock(), FakeDatabase(failures={"record_node_reads": AWAY})
    reads = ReadCounter(clock)
    reads.add(UNIT)
    assert await reads.flush(database) == AWAY
    database.failures.clear()
    reads.add(UNIT)
    assert await reads.flush(database) is None  # not at once again: the database has other worries
    clock.now += FLUSH_SECONDS
    assert await reads.flush(database) == Ok(1)
    assert database.reads == {UNIT: 2}


async def test_reads_that_come_during_a_flush_belong_to_the_next() -> None:
    clock = Clock()
    reads = ReadCounter(clock)

    class Reading(FakeDatabase):
        async def record_node_reads(self, reads_given: Mapping[UUID, int]) -> Result[int]:
            reads.add(UNIT)
            return await super().record_node_reads(reads_given)

    database = Reading()
    for _ in range(3):
        reads.add(UNIT)
        await reads.flush(database)
        clock.now += FLUSH_SECONDS
    assert [counts for _, counts in database.asked] == [{str(UNIT): count} for count in (1, 2, 2)]


# --- what is asked and answered -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"unit_id": "nonsense"},
        {"unit_id": ""},
        {"unit_id": str(UNIT), "year": "1999"},
        {"unit_id": str(UNIT), "year": "2100"},
        {"unit_id": str(UNIT), "year": "20x6"},
        {"unit_id": str(UNIT), "year": "2026.5"},
        {"unit_id": str(UNIT), "year": ""},
        {"unit_id": str(UNIT), "month": "3"},
    ],
    ids=str,
)
def test_a_wrong_query_is_none(query: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        HierarchyQuery.model_validate_strings(query)
    assert HierarchyQuery.model_validate_strings({"unit_id": str(UNIT), "year": "2026"}).year == 2026


def test_numbers_are_exact_from_the_database_to_the_answer() -> None:
    beyond_doubles = 2**53 + 1
    payload = make_payload(
        activity_count=beyond_doubles, total_hours=9999999999999.99, approved_expenses_nok=0.1
    )
    entry = make_entry(payload=payload)
    assert entry.payload.activity_count == beyond_doubles
    assert entry.payload.total_hours == Decimal("9999999999999.99")
    text = to_json({"data": entry}).decode()
    assert f'"activity_count":{beyond_doubles},' in text
    assert '"total_hours":9999999999999.99,' in text
    assert '"approved_expenses_nok":0.1}' in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"activity_count": 3.0},
        {"activity_count": "3"},
        {"activity_count": True},
        {"activity_count": None},
        {"total_hours": "4.25"},
        {"total_hours": True},
        {"total_hours": 4.125},
        {"total_hours": 99999999999999.99},  # more digits than a JSON reader's double holds
        {"categories": {"INDIVIDUAL": 2.5}},
        {"categories": None},
    ],
    ids=str,
)
def test_a_payload_of_another_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_entry(payload=make_payload(**wrong))


def test_what_is_not_declared_does_not_get_out() -> None:
    entry = make_entry(payload=make_payload(contact_ids=["kari"]))
    assert "kari" not in to_json(entry).decode()
    assert set(entry.payload.model_dump()) == set(make_payload())
    assert isinstance(entry, HierarchyEntry)
