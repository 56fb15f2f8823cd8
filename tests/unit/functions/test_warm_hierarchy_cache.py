from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from _shared.callers import Service, Webhook
from _shared.database.hierarchy import WarmUpReport
from _shared.http.request import Call
from _shared.http.webhooks import WebhookPayload
from _shared.result import Err, ErrorCode, Ok
from _shared.warm_up import MAX_SECONDS, WarmUps
from tests.support.examples import HLF, NHF
from tests.support.fake_database import FakeDatabase
from warm_hierarchy_cache import WarmRequest, warm_hierarchy, years_to_read

JUNE, FEBRUARY = date(2026, 6, 1), date(2026, 2, 1)


def asked_by_service(database: FakeDatabase, **wanted: Any) -> Call[WarmRequest]:
    return Call("POST", Service(), WarmRequest.model_validate(wanted), database)


def asked_by_webhook(database: FakeDatabase, **wanted: Any) -> Call[WarmRequest]:
    payload = {"table": "hierarchy_stats_cache", "organization_id": NHF, "records": (), "truncated": False}
    webhook = WebhookPayload.model_validate(payload | wanted)
    return Call("POST", Webhook("msg_1"), WarmRequest(), database, webhook)


@pytest.mark.parametrize(
    ("today", "years"),
    [
        pytest.param(date(2026, 1, 1), [2026, 2025], id="new-years-day"),
        pytest.param(date(2026, 3, 31), [2026, 2025], id="last-of-march"),
        pytest.param(date(2026, 4, 1), [2026], id="first-of-april"),
        pytest.param(date(2026, 12, 31), [2026], id="new-years-eve"),
    ],
)
def test_in_its_first_months_a_year_does_not_stand_alone(today: date, years: list[int]) -> None:
    assert years_to_read(today) == years


async def test_by_default_the_most_read_summaries_of_each_organisation_are_warmed() -> None:
    database = FakeDatabase()
    answer = await warm_hierarchy(asked_by_service(database), WarmUps(), JUNE)
    assert answer == Ok(WarmUpReport(warmed=4, skipped=2))
    assert database.asked[1:] == [("warm_hierarchy_cache", one, MAX_SECONDS) for one in (NHF, HLF)]


async def test_by_night_all_units_are_computed_for_each_year_that_is_read() -> None:
    database = FakeDatabase()
    answer = await warm_hierarchy(asked_by_service(database, type="nightly"), WarmUps(), FEBRUARY)
    assert answer == Ok(WarmUpReport(warmed=4 * 46, skipped=0))
    assert database.asked[1:] == [
        ("precompute_hierarchy", one, year) for one in (NHF, HLF) for year in (2026, 2025)
    ]


async def test_one_organisation_can_be_asked_for() -> None:
    database = FakeDatabase()
    call = asked_by_service(database, type="nightly", organization_id=HLF)
    assert await warm_hierarchy(call, WarmUps(), JUNE) == Ok(WarmUpReport(warmed=46, skipped=0))
    assert database.asked[1:] == [("precompute_hierarchy", HLF, 2026)]


@pytest.mark.parametrize("kind", ["nightly", "most_read"])
async def test_an_organisation_that_wants_no_warm_up_gets_none_even_if_it_is_named(kind: str) -> None:
    database = FakeDatabase(organization_ids=[HLF])
    for call in (
        asked_by_service(database, type=kind, organization_id=NHF),
        asked_by_webhook(database, type=kind),
    ):
        assert await warm_hierarchy(call, WarmUps(), JUNE) == Ok(WarmUpReport(warmed=0, skipped=0))
        for work in call.after:
            await work()
    assert set(database.calls) == {"list_warmed_organizations"}
    await warm_hierarchy(asked_by_service(database, type=kind), WarmUps(), JUNE)
    assert database.asked[-1][1] == HLF


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("nightly", ("precompute_hierarchy", NHF, 2026)),
        ("most_read", ("warm_hierarchy_cache", NHF, MAX_SECONDS)),
        ("sweep", ("warm_hierarchy_cache", NHF, MAX_SECONDS)),
    ],
)
async def test_a_webhook_names_its_organisation_and_is_answered_first(
    kind: str, asked: tuple[object, ...]
) -> None:
    database = FakeDatabase()
    call = asked_by_webhook(database, type=kind)
    assert await warm_hierarchy(call, WarmUps(), JUNE) == Ok(WarmUpReport(warmed=0, skipped=0))
    assert database.calls == ["list_warmed_organizations"]
    (work,) = call.after
    assert isinstance(await work(), Ok)
    assert database.asked[1:] == [asked]


@pytest.mark.parametrize("method", ["list_warmed_organizations", "precompute_hierarchy"])
async def test_what_the_database_fails_in_is_passed_on(method: str) -> None:
    away = Err(ErrorCode.UPSTREAM_TIMEOUT, cause="57014")
    database = FakeDatabase(failures={method: away})
    assert await warm_hierarchy(asked_by_service(database, type="nightly"), WarmUps(), FEBRUARY) == away
    # each organisation was tried, but not another year of one that failed
    assert database.calls.count("precompute_hierarchy") == (2 if method == "precompute_hierarchy" else 0)
