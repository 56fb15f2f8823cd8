"""What goes over the wire: the user's own token, one request each, and every number as it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import ValidationError

from _shared import exact_json
from _shared.database.snapshots import MetricSnapshot, Period, SnapshotStatus
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import PUBLISHABLE_KEY, SECRET_KEY, make_user
from tests.support.examples import (
    NHF,
    PERIOD,
    alignment_json,
    figures,
    report_json,
    snapshot_json,
    status_json,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import respx

    from _shared.database import Database
    from _shared.result import Result

REST = "http://supabase.test/rest/v1"
TABLE = f"{REST}/bufdir_metric_snapshots"
LOOKUP = f"{REST}/rpc/get_metric_snapshot"
USER = make_user()
HUGE = {"totals": figures(9007199254740993, "90071992547409931.25")}
DAYS = {"p_period_start": "2026-01-01", "p_period_end": "2027-01-01"}


def answer(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=exact_json.dumps(value))


def sent(route: respx.Route) -> httpx.Request:
    """The one request; with the user's own rights."""
    assert route.call_count == 1
    request: httpx.Request = route.calls.last.request
    assert request.headers["apikey"] == PUBLISHABLE_KEY
    assert request.headers["authorization"] == f"Bearer {USER.token.get_secret_value()}"
    return request


async def test_a_snapshot_is_looked_up_by_its_key(database: Database, rest: respx.Router) -> None:
    row = snapshot_json(snapshot_json=report_json(**HUGE))
    route = rest.post(LOOKUP).mock(return_value=answer(row))
    found = await database.get_metric_snapshot(USER, PERIOD)
    assert found == Ok(MetricSnapshot.model_validate(row))
    assert exact_json.loads(sent(route).content) == DAYS


async def test_no_row_is_none(database: Database, rest: respx.Router) -> None:
    rest.post(LOOKUP).mock(return_value=answer(None))
    assert await database.get_metric_snapshot(USER, PERIOD) == Ok(None)
    assert await database.get_stored_report(USER, PERIOD) == Ok(None)


async def test_a_falsified_snapshot_is_read_as_it_stands_only_to_be_verified(
    database: Database, rest: respx.Router
) -> None:
    rest.post(LOOKUP).mock(
        return_value=answer(snapshot_json(snapshot_json={"totals": {"activity_count": 7}}))
    )
    stored = await database.get_stored_report(USER, PERIOD)
    assert isinstance(stored, Ok)
    assert stored.value is not None
    assert stored.value.snapshot_json == {"totals": {"activity_count": 7}}
    shown = await database.get_metric_snapshot(USER, PERIOD)
    assert shown == Err(ErrorCode.INTERNAL, cause="unexpected MetricSnapshot")


async def test_a_saved_row_comes_back_with_every_digit(database: Database, rest: respx.Router) -> None:
    row = snapshot_json(snapshot_json=report_json(**HUGE))
    rest.post(f"{REST}/rpc/save_metric_snapshot").mock(return_value=answer(row))
    assert await database.save_metric_snapshot(USER, PERIOD) == Ok(MetricSnapshot.model_validate(row))


@pytest.mark.parametrize("body", [[], {}, None, [{"id": 1}]], ids=str)
async def test_a_row_that_does_not_come_back_was_not_saved(
    database: Database, rest: respx.Router, body: Any
) -> None:
    rest.post(f"{REST}/rpc/save_metric_snapshot").mock(return_value=answer(body))
    saved = await database.save_metric_snapshot(USER, PERIOD)
    assert saved == Err(ErrorCode.INTERNAL, cause="unexpected MetricSnapshot")


async def test_renewing_is_the_services_business(database: Database, rest: respx.Router) -> None:
    route = rest.post(f"{REST}/rpc/renew_metric_snapshot").mock(return_value=httpx.Response(200, json=True))
    assert await database.renew_metric_snapshot(NHF, PERIOD) == Ok(value=True)
    request = route.calls.last.request
    assert request.headers["apikey"] == SECRET_KEY
    assert exact_json.loads(request.content) == DAYS | {"p_organization_id": str(NHF)}


@pytest.mark.parametrize(("rows", "deleted"), [([{"id": 1}], True), ([], False)])
async def test_what_was_deleted_comes_back(
    database: Database, rest: respx.Router, rows: list[Any], *, deleted: bool
) -> None:
    route = rest.delete(TABLE).mock(return_value=answer(rows))
    assert await database.delete_metric_snapshot(USER, PERIOD) == Ok(deleted)
    request = sent(route)
    assert dict(request.url.params) == {
        "period_start": "eq.2026-01-01",
        "period_end": "eq.2027-01-01",
        "select": "id",
    }
    assert "return=representation" in request.headers["prefer"]


Call = tuple[str, "Callable[[Database], Awaitable[Result[Any]]]", dict[str, Any], object]
CALLS: list[Call] = [
    ("get_metric_snapshot", lambda d: d.get_metric_snapshot(USER, PERIOD), DAYS, snapshot_json()),
    ("save_metric_snapshot", lambda d: d.save_metric_snapshot(USER, PERIOD), DAYS, snapshot_json()),
    ("get_snapshot_status", lambda d: d.get_snapshot_status(USER, PERIOD), DAYS, status_json()),
    (
        "generate_bufdir_report",
        lambda d: d.generate_bufdir_report(USER, NHF, PERIOD, 3),
        DAYS | {"p_org_id": str(NHF), "p_mapping_version": 3},
        report_json(),
    ),
    (
        "get_bufdir_alignment",
        lambda d: d.get_bufdir_alignment(USER, 2026),
        {"p_year": 2026},
        alignment_json(),
    ),
]


@pytest.mark.parametrize(("name", "call", "parameters", "good"), CALLS, ids=[call[0] for call in CALLS])
async def test_each_question_is_one_rpc(
    database: Database,
    rest: respx.Router,
    *,
    name: str,
    call: Callable[[Database], Awaitable[Result[Any]]],
    parameters: dict[str, Any],
    good: object,
) -> None:
    route = rest.post(f"{REST}/rpc/{name}").mock(return_value=answer(good))
    assert isinstance(await call(database), Ok)
    assert exact_json.loads(sent(route).content) == parameters


MEANINGS = [
    (423, "PT423", ErrorCode.FEATURE_DISABLED),
    (403, "42501", ErrorCode.FORBIDDEN),
    (400, "22023", ErrorCode.BAD_REQUEST),
    (400, "23514", ErrorCode.INTERNAL),
    (500, "57014", ErrorCode.UPSTREAM_TIMEOUT),
]


@pytest.mark.parametrize(("status", "code", "meaning"), MEANINGS)
@pytest.mark.parametrize(("name", "call"), [call[:2] for call in CALLS], ids=[call[0] for call in CALLS])
async def test_each_refusal_has_its_meaning(
    database: Database,
    rest: respx.Router,
    *,
    name: str,
    call: Callable[[Database], Awaitable[Result[Any]]],
    status: int,
    code: str,
    meaning: ErrorCode,
) -> None:
    rest.post(f"{REST}/rpc/{name}").mock(return_value=answer({"code": code, "message": "x"}, status))
    assert await call(database) == Err(meaning, cause=code)


async def test_personal_data_from_the_database_is_refused_and_not_passed_on(
    database: Database, rest: respx.Router
) -> None:
    leaking = snapshot_json(snapshot_json=report_json(contact_name="Ola Nordmann"))
    rest.post(f"{REST}/rpc/save_metric_snapshot").mock(return_value=answer(leaking))
    refused = await database.save_metric_snapshot(USER, PERIOD)
    assert refused == Err(ErrorCode.INTERNAL, cause="unexpected MetricSnapshot")


async def test_hours_arrive_as_decimals(database: Database, rest: respx.Router) -> None:
    rest.post(f"{REST}/rpc/get_snapshot_status").mock(return_value=answer(status_json()))
    rest.post(f"{REST}/rpc/generate_bufdir_report").mock(return_value=answer(report_json(**HUGE)))
    report = await database.generate_bufdir_report(USER, NHF, PERIOD, 1)
    assert isinstance(report, Ok)
    assert report.value["totals"]["total_hours"] == Decimal("90071992547409931.25")
    status = await database.get_snapshot_status(USER, PERIOD)
    assert status == Ok(SnapshotStatus.model_validate(status_json()))


# --- periods -------------------------------------------------------------------------------------------

GOOD = {"period_start": "2026-01-01", "period_end": "2027-01-01"}


@pytest.mark.parametrize("end", ["2026-01-01", "2026-02-01", "2100-01-01"])
def test_a_period_may_be_empty_and_long(end: str) -> None:
    period = Period.model_validate_strings(GOOD | {"period_end": end})
    assert (period.period_start, period.period_end) == (dt.date(2026, 1, 1), dt.date.fromisoformat(end))


@pytest.mark.parametrize(
    "days",
    [{"period_end": "2026-12-31"}, {"period_start": "2026-01-02"}, {"period_end": "2026-01-02"}],
    ids=str,
)
def test_a_period_is_whole_months(days: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="A period is whole months: it starts and ends on the first"):
        Period.model_validate_strings(GOOD | days)


@pytest.mark.parametrize("days", [{"period_start": "1999-12-01"}, {"period_end": "2100-02-01"}], ids=str)
def test_a_period_lies_in_this_century(days: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="A period lies in this century: from 2000-01-01 to 2100-01-01"):
        Period.model_validate_strings(GOOD | days)


@pytest.mark.parametrize(
    "day", ["", "0", "1767225600", "20260101", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00", "2026-W01-1"]
)
@pytest.mark.parametrize("field", GOOD)
def test_a_day_is_an_iso_date_and_nothing_else(day: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Period.model_validate_strings(GOOD | {field: day})
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]
