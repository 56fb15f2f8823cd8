from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from _shared.callers import WEBHOOK_HEADERS, Webhook
from _shared.http import webhooks
from _shared.http.webhooks import MAX_RECORDS, WebhookPayload
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import WEBHOOK_SECRET, sign
from tests.support.fake_database import FakeDatabase

BODY = b'{"records": []}'
SECRET = SecretStr(WEBHOOK_SECRET)
EXAMPLE: dict[str, Any] = WebhookPayload.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,assignment]


def code_of(headers: dict[str, str], body: bytes = BODY) -> ErrorCode | None:
    result = webhooks.verify(SECRET, headers, body)
    return result.code if isinstance(result, Err) else None


def test_a_signed_webhook_is_known_by_its_id() -> None:
    assert webhooks.verify(SECRET, sign(BODY, webhook_id="msg_1"), BODY) == Ok(Webhook("msg_1"))


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        pytest.param(timedelta(minutes=4, seconds=58), True, id="almost-five-minutes-old"),
        pytest.param(timedelta(minutes=5, seconds=2), False, id="more-than-five-minutes-old"),
        pytest.param(-timedelta(minutes=4, seconds=58), True, id="almost-five-minutes-ahead"),
        pytest.param(-timedelta(minutes=5, seconds=2), False, id="more-than-five-minutes-ahead"),
    ],
)
def test_only_five_minutes_around_now_are_accepted(age: timedelta, accepted: bool) -> None:  # noqa: FBT001
    assert (code_of(sign(BODY, age=age)) is None) is accepted


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"webhook-signature": ""}, id="no-signature"),
        pytest.param({"webhook-signature": "v1"}, id="no-comma"),
        pytest.param({"webhook-signature": "v1,a,b"}, id="two-commas"),
        pytest.param({"webhook-signature": "v1,%%%"}, id="not-base64"),
        pytest.param({"webhook-signature": "v1,AAAA"}, id="wrong"),
        pytest.param({"webhook-signature": "v1,é"}, id="not-ascii"),
        pytest.param({"webhook-id": ""}, id="no-id"),
        pytest.param({"webhook-id": "another"}, id="another-id"),
        pytest.param({"webhook-id": "msg.1"}, id="id-with-a-dot"),
        pytest.param({"webhook-id": "a" * 129}, id="endless-id"),
        pytest.param({"webhook-timestamp": ""}, id="no-time"),
        pytest.param({"webhook-timestamp": "nan"}, id="not-a-time"),
        pytest.param({"webhook-timestamp": "999999999999"}, id="year-33658"),
    ],
)
def test_a_wrong_header_is_unauthorized(change: dict[str, str]) -> None:
    assert code_of(sign(BODY) | change) is ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("header", WEBHOOK_HEADERS)
def test_a_missing_header_is_unauthorized(header: str) -> None:
    headers = sign(BODY)
    del headers[header]
    assert code_of(headers) is ErrorCode.UNAUTHORIZED


def test_another_version_of_the_signature_is_unauthorized() -> None:
    headers = sign(BODY)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v1a,")
    assert code_of(headers) is ErrorCode.UNAUTHORIZED


def test_one_good_signature_among_several_is_enough() -> None:
    headers = sign(BODY)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"
    assert code_of(headers) is None


@pytest.mark.parametrize("body", [b"", BODY + b" ", b"\xff\xfe"], ids=["empty", "one-more-byte", "not-utf-8"])
def test_another_body_is_unauthorized(body: bytes) -> None:
    assert code_of(sign(BODY), body) is ErrorCode.UNAUTHORIZED


@given(st.dictionaries(st.sampled_from(WEBHOOK_HEADERS), st.text()), st.binary())
def test_no_headers_and_body_whatsoever_raise(headers: dict[str, str], body: bytes) -> None:
    assert code_of(headers, body) is ErrorCode.UNAUTHORIZED


@given(st.text())
def test_no_signature_whatsoever_raises_or_passes(signature: str) -> None:
    now = str(int(datetime.now(UTC).timestamp()))
    headers = {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": signature}
    assert code_of(headers) is ErrorCode.UNAUTHORIZED


async def test_a_webhook_is_claimed_once() -> None:
    database = FakeDatabase()
    assert await webhooks.claim(Webhook("msg_1"), database) is None
    replay = await webhooks.claim(Webhook("msg_1"), database)
    assert replay is not None
    assert replay.code is ErrorCode.UNAUTHORIZED
    assert await webhooks.claim(Webhook("msg_2"), database) is None


async def test_a_claim_that_cannot_be_checked_is_not_taken_as_new() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await webhooks.claim(Webhook("msg_1"), FakeDatabase(failure=away)) == away


def test_the_example_payload_is_valid() -> None:
    payload = WebhookPayload.model_validate_json(json.dumps(EXAMPLE))
    assert payload.records[0].date is not None
    assert payload.records[0].id == EXAMPLE["records"][0]["id"]


@pytest.mark.parametrize("count", [0, MAX_RECORDS])
def test_up_to_a_hundred_records_are_accepted(count: int) -> None:
    records = EXAMPLE["records"] * count
    assert (
        len(WebhookPayload.model_validate_json(json.dumps(EXAMPLE | {"records": records})).records) == count
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"records": EXAMPLE["records"] * (MAX_RECORDS + 1)}, "records", id="too-many-records"),
        pytest.param({"records": [EXAMPLE["records"][0] | {"summary": "x"}]}, "records", id="personal-data"),
        pytest.param({"old_record": {}}, "old_record", id="unknown-field"),
        pytest.param({"records": [{"id": "kari"}]}, "records", id="a-name-for-an-id"),
        pytest.param({"organization_id": "nhf"}, "organization_id", id="not-an-id"),
        pytest.param({"truncated": "false"}, "truncated", id="text-for-a-boolean"),
        pytest.param({"type": ""}, "type", id="no-type"),
    ],
)
def test_a_payload_with_anything_else_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WebhookPayload.model_validate_json(json.dumps(EXAMPLE | change))
    assert {problem["loc"][0] for problem in refused.value.errors()} == {field}
