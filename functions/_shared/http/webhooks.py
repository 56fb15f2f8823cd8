"""Standard Webhooks as the database sends them: the signature, and what a payload may say."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
import re
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import BaseModel, ConfigDict, Field
from standardwebhooks.webhooks import Webhook as Signature
from standardwebhooks.webhooks import WebhookVerificationError

from _shared.callers import WEBHOOK_HEADERS, Webhook
from _shared.result import Err, ErrorCode, Ok, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from _shared.database import Database

MAX_RECORDS = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")  # no dot: the signed text is "id.timestamp.body"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Record(BaseModel):
    """One change, by ids and date only: personal data has no place here. `id` is the log's or a row's."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: int | UUID
    unit_id: UUID | None = None
    date: dt.date | None = None


class WebhookPayload(BaseModel):
    """A wake-up. `truncated` says that more rows changed than are listed; the change log has them all."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "activities_changed",
                    "table": "activity_changes",
                    "organization_id": "0f0e0d0c-0b0a-4908-8706-050403020100",
                    "records": [
                        {
                            "id": 4711,
                            "unit_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
                            "date": "2026-03-14",
                        }
                    ],
                    "truncated": False,
                }
            ]
        },
    )

    type: str = Field(min_length=1, max_length=64)
    table: str = Field(min_length=1, max_length=64)
    organization_id: UUID
    records: tuple[Record, ...] = Field(max_length=MAX_RECORDS)
    truncated: bool


def verify(secret: SecretStr, headers: Mapping[str, str], body: bytes) -> Result[Webhook]:
    """Check the signature over the raw body, and that it was made within five minutes of now.

    Errors: unauthorized, for every way of being wrong alike.
    """
    webhook_id, timestamp, signature = (headers.get(name, "") for name in WEBHOOK_HEADERS)
    if not (_ID.fullmatch(webhook_id) and _TIMESTAMP.fullmatch(timestamp)):
        return Err(ErrorCode.UNAUTHORIZED, cause="malformed webhook headers")
    signed = dict(zip(WEBHOOK_HEADERS, (webhook_id, timestamp, signature), strict=True))
    try:
        Signature(secret.get_secret_value()).verify(body, signed, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        # ValueError: the library does not expect malformed base64, or a body that is not UTF-8.
        return Err(ErrorCode.UNAUTHORIZED, cause=type(error).__name__)
    return Ok(Webhook(webhook_id))


async def claim(webhook: Webhook, database: Database) -> Err | None:
    """Refuse a message that was delivered before.

    Errors: unauthorized (a replay), or what kept the database from telling.
    """
    claimed = await database.claim_webhook(webhook.id)
    if isinstance(claimed, Err):
        return claimed
    return None if claimed.value else Err(ErrorCode.UNAUTHORIZED, cause="replayed webhook")
