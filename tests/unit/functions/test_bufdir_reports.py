from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _shared.database.failures import from_code
from _shared.database.report_versions import Remark
from _shared.remarks import sentence
from _shared.result import Err, ErrorCode
from bufdir_reports import STALE, bufdir_reports
from tests.support.credentials import bearer, make_token
from tests.support.examples import VERSION_ID, exactly, remark_json, snapshot_json

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.fake_database import FakeDatabase

PERIOD = {"period_start": "2026-01-01", "period_end": "2027-01-01"}


async def call(client_of: Callable[..., httpx.AsyncClient], method: str, **query: str) -> httpx.Response:
    async with client_of(bufdir_reports) as client:
        return await client.request(method, "/", params=PERIOD | query, headers=bearer(make_token()))


async def test_versions_are_listed(client_of: Callable[..., httpx.AsyncClient]) -> None:
    [version] = (await call(client_of, "GET")).json()["data"]
    assert (version["version"], version["prepared"]["name"], version["approved"]) == (
        1,
        "Kari Nordmann",
        None,
    )


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({"step": "prepare"}, "prepare_report"),
        ({"step": "approve", "version": VERSION_ID}, "approve_report"),
        ({"step": "send", "version": VERSION_ID}, "send_report"),
    ],
)
async def test_each_step_is_the_databases(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, query: dict[str, str], asked: str
) -> None:
    database.snapshot = snapshot_json()
    response = await call(client_of, "POST", **query)
    assert response.status_code == 200
    assert response.json()["data"]["version"] == 1
    assert database.calls == [asked]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"step": "prepare", "version": VERSION_ID},
        {"step": "approve"},
        {"step": "send"},
        {"step": "undo", "version": VERSION_ID},
    ],
    ids=["none", "prepare-one", "approve-none", "send-none", "unknown"],
)
async def test_half_a_step_is_refused(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, query: dict[str, str]
) -> None:
    response = await call(client_of, "POST", **query)
    assert response.status_code == 400
    assert database.calls == []


async def test_figures_that_are_not_fresh_are_not_prepared(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase
) -> None:
    database.failures["prepare_report"] = Err(ErrorCode.CONFLICT, cause="PT409")
    response = await call(client_of, "POST", step="prepare")
    assert (response.status_code, response.json()["error"]["message"]) == (409, STALE)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((code, 409) for code in ("superseded", "falsified", "figures_changed", "not_approved")),
        *((code, 409) for code in ("already_approved", "already_sent", "PT409")),
        ("another_person", 403),
        ("PT404", 404),
    ],
)
async def test_the_databases_refusals_are_passed_on(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, code: str, status: int
) -> None:
    database.failures["approve_report"] = from_code(code, for_user=True)
    response = await call(client_of, "POST", step="approve", version=VERSION_ID)
    assert response.status_code == status
    assert response.json()["error"]["message"].endswith(".")


SAID: list[tuple[dict[str, Any], str, str]] = [
    (
        {},
        "Ola Nordmann has 2 activities of 13.5 hours together on 2026-03-10.",
        "Ola Nordmann har 2 aktiviteter på til sammen 13,5 timer den 10.03.2026.",
    ),
    (
        {"kind": "last_year", "chapter_name": "NHF Oslo", "number": 90, "expected": 20},
        "NHF Oslo has 90 activities; in the same months of the year before there were 20.",
        "NHF Oslo har 90 aktiviteter; i de samme månedene året før var det 20.",
    ),
    (
        {"kind": "late", "chapter_name": "NHF Oslo", "number": 12, "expected": 90},
        "NHF Oslo has 12 activities that were registered more than 90 days after.",
        "NHF Oslo har 12 aktiviteter som ble registrert mer enn 90 dager etterpå.",
    ),
]


@pytest.mark.parametrize(("remark", "en", "nb"), SAID, ids=[remark.get("kind", "") for remark, _, _ in SAID])
async def test_remarks_are_put_into_words(
    client_of: Callable[..., httpx.AsyncClient], database: FakeDatabase, remark: Any, en: str, nb: str
) -> None:
    database.answers["get_report_remarks"] = [exactly(remark_json(**remark))]
    [said] = (await call(client_of, "GET", show="remarks")).json()["data"]
    assert said["sentence"] == {"en": en, "nb": nb}


@pytest.mark.parametrize(
    "kind", ["person_day", "person", "chapter", "day", "participants", "last_year", "future", "late"]
)
def test_every_kind_of_remark_has_a_sentence(kind: str) -> None:
    given = remark_json(kind=kind, chapter_name="NHF Oslo")
    said = sentence(Remark.model_validate(exactly(given)))
    assert "None" not in said.en + said.nb
    assert "{" not in said.en + said.nb
