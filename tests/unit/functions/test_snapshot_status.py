from __future__ import annotations

from inspect import unwrap
from typing import TYPE_CHECKING, Any

import pytest

from _shared.database.snapshots import SnapshotStatus
from _shared.http.request import Call
from _shared.result import Err, ErrorCode, Ok
from snapshot_status import StatusReport, banner, snapshot_status
from tests.support.credentials import bearer, make_token, make_user
from tests.support.examples import PERIOD, status_json
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

MISSING = {"verdict": "missing", "record_count_at_generation": None, "computed_at": None}
STALE = {"verdict": "stale", "record_count_at_generation": 309, "record_count_now": 310}
STALE_EN = "The saved figures are out of date: {}. Compute them again before you export."
STALE_NB = "De lagrede tallene er utdaterte: {}. Beregn dem på nytt før du eksporterer."
# reasons → what is said of them
STALE_TABLE: list[tuple[list[str], str, str]] = [
    (
        ["record_count_changed"],
        "the number of activities has changed from 309 to 310",
        "antall aktiviteter er endret fra 309 til 310",
    ),
    (["records_edited"], "activities have been edited", "aktiviteter er endret"),
    (["older_than_max_age"], "they are too old", "de er for gamle"),
    (["mapping_changed"], "the Bufdir categories have changed", "Bufdir-kategoriene er endret"),
    (
        ["older_than_max_age", "mapping_changed"],
        "they are too old and the Bufdir categories have changed",
        "de er for gamle og Bufdir-kategoriene er endret",
    ),
    (
        ["records_edited", "older_than_max_age", "mapping_changed"],
        "activities have been edited, they are too old and the Bufdir categories have changed",
        "aktiviteter er endret, de er for gamle og Bufdir-kategoriene er endret",
    ),
]
TABLE: list[tuple[dict[str, Any], str, str]] = [
    (
        MISSING,
        "No figures have been saved for this period. Compute them before you export.",
        "Det er ikke lagret tall for denne perioden. Beregn dem før du eksporterer.",
    ),
    (
        {},
        "The saved figures match the registered activities.",
        "De lagrede tallene stemmer med de registrerte aktivitetene.",
    ),
    *(
        (STALE | {"reasons": reasons}, STALE_EN.format(en), STALE_NB.format(nb))
        for reasons, en, nb in STALE_TABLE
    ),
]


@pytest.mark.parametrize(("status", "en", "nb"), TABLE)
def test_each_verdict_has_its_words(status: dict[str, Any], en: str, nb: str) -> None:
    words = banner(SnapshotStatus.model_validate(status_json(**status)))
    assert (words.en, words.nb) == (en, nb)


async def check_status(database: FakeDatabase) -> Any:
    return await unwrap(snapshot_status)(Call("GET", make_user(), PERIOD, database))


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("verdict", ["fresh", "stale", "missing"])
async def test_what_the_database_decided_is_passed_on_whatever_it_is(verdict: str, *, allowed: bool) -> None:
    status = status_json(
        verdict=verdict, export_allowed=allowed, reasons=["records_edited"] if verdict == "stale" else []
    )
    answer = await check_status(FakeDatabase(get_snapshot_status=status))
    assert isinstance(answer, Ok)
    decided = SnapshotStatus.model_validate(status)
    assert answer.value == StatusReport(**decided.model_dump(), banner=banner(decided))


async def test_a_refusal_is_passed_on() -> None:
    refusal = Err(ErrorCode.FEATURE_DISABLED)
    assert await check_status(FakeDatabase(failure=refusal)) == refusal


GOOD = {"period_start": "2026-01-01", "period_end": "2027-01-01"}
MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"period_start": "2026-01-02", "period_end": "2026-01-01"}, "period_end is before period_start."),
    ({"period_end": "2026-01-01"}, "Missing or not valid: period_start."),
    ({"period_start": "x", "period_end": "y"}, "Missing or not valid: period_end, period_start."),
    ({}, "Missing or not valid: period_end, period_start."),
]


@pytest.mark.parametrize(("query", "message"), MESSAGES)
async def test_the_answer_says_what_is_wrong(
    client_of: Callable[..., httpx.AsyncClient], query: dict[str, str], message: str
) -> None:
    client = client_of(snapshot_status)
    headers = bearer(make_token())
    answer = await client.get("/", params=query, headers=headers)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
    assert (await client.get("/", params=GOOD, headers=headers)).status_code == 200
