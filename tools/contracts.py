"""`make contracts`: write to docs/reference/contracts, as JSON Schema, what the database sends and when.

Webhooks go to the functions: the models are by what happened, and the receivers accept nothing else.
Broadcasts go to the apps that listen.

Both pipelines end in the same two wake-ups, because an approved expense is a change of its activity: one for
the statistics (`refresh-stats-views`), one for the summaries (`invalidate-hierarchy-cache`). Each is of one
organisation and lists the latest rows of the log concerned: ids and days, never content. A decision that
changes no figure, such as a rejected claim, sends nothing. What time alone brings about has a contract of its
own, and lists nothing.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
import json
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from _shared.http.webhooks import MAX_RECORDS, Record, WebhookPayload

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "contracts"


def _example(type_: str, table: str, *records: dict[str, JsonValue], truncated: bool) -> ConfigDict:
    organization_id = "0f0e0d0c-0b0a-4908-8706-050403020100"
    example: dict[str, JsonValue] = {"type": type_, "table": table, "organization_id": organization_id}
    example |= {"records": list(records), "truncated": truncated}
    return ConfigDict(json_schema_extra={"examples": [example]})


class StatisticsRecord(Record):
    """A row of the change log: what changed in a chapter on a day (UTC)."""

    id: int
    unit_id: UUID
    date: dt.date


class UnitRecord(Record):
    """A row of the log of units: whose summary is outdated, in the year of `date`, or in all without one."""

    id: int
    unit_id: UUID


class StatisticsOutdated(WebhookPayload):
    """Wakes `refresh-stats-views`."""

    type: Literal["activities_changed"]
    table: Literal["activity_changes"]
    organization_id: UUID
    records: tuple[StatisticsRecord, ...] = Field(min_length=1, max_length=MAX_RECORDS)


class SummariesOutdated(WebhookPayload):
    """Wakes `invalidate-hierarchy-cache`."""

    model_config = _example(
        "units_changed",
        "unit_changes",
        {"id": 1202, "unit_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "date": "2026-03-14"},
        truncated=False,
    )

    type: Literal["units_changed"]
    table: Literal["unit_changes"]
    organization_id: UUID
    records: tuple[UnitRecord, ...] = Field(min_length=1, max_length=MAX_RECORDS)


WakeUp = Annotated[StatisticsOutdated | SummariesOutdated, Field(discriminator="table")]


class ActivityRegistered(RootModel[WakeUp]):
    """An activity was registered, corrected, rejected, moved or deleted: either of two wake-ups."""

    model_config = ConfigDict(frozen=True)


class ExpenseDecided(RootModel[WakeUp]):
    """An expense was approved, or an approval was taken back: either of two wake-ups."""

    model_config = ConfigDict(frozen=True)


class _Due(WebhookPayload):
    records: tuple[Record, ...] = Field(max_length=0)


class RefreshDue(_Due):
    """The sweep found changes that `mv_*` lack. Wakes `refresh-stats-views`."""

    model_config = _example("sweep", "activity_changes", truncated=True)

    type: Literal["sweep"]
    table: Literal["activity_changes"]
    truncated: Literal[True]


class DrainUnfinished(_Due):
    """A drain ran out of time. Wakes `invalidate-hierarchy-cache`, which serves every organisation."""

    model_config = _example("continued", "unit_changes", truncated=True)

    type: Literal["continued"]
    table: Literal["unit_changes"]
    truncated: Literal[True]


class Heartbeat(_Due):
    """No wake-up was sent of late: does one still arrive? Wakes `invalidate-hierarchy-cache`."""

    model_config = _example("heartbeat", "unit_changes", truncated=True)

    type: Literal["heartbeat"]
    table: Literal["unit_changes"]
    truncated: Literal[True]


class NightlyWarmUp(_Due):
    """It is night. Wakes `warm-hierarchy-cache`."""

    model_config = _example("nightly", "hierarchy_stats_cache", truncated=False)

    type: Literal["nightly"]
    table: Literal["hierarchy_stats_cache"]
    truncated: Literal[False]


class UpkeepDue(
    RootModel[
        Annotated[RefreshDue | DrainUnfinished | Heartbeat | NightlyWarmUp, Field(discriminator="type")]
    ]
):
    """Nothing happened but time: one of four wake-ups."""

    model_config = ConfigDict(frozen=True)


class CacheInvalidated(BaseModel):
    """The payload of `cache_invalidated`, on the private channel `activities:org:<organisation>`.

    Read again what is shown of these units. A message that is lost is made up for by reading at each join.

    unit_ids : of the changed units and all above them.
    dates    : days on which something changed; none where the tree did.
    id       : the message's own.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "unit_ids": ["7d444840-9dc0-41d1-b245-5ffdce74fad2"],
                    "dates": ["2026-03-14"],
                    "id": "0b0a4908-8706-4504-8302-0100f0e0d0c0",
                }
            ]
        },
    )

    unit_ids: list[UUID]
    dates: list[dt.date]
    id: UUID


BROADCASTS: dict[str, type[BaseModel]] = {"cache_invalidated": CacheInvalidated}

CONTRACTS: dict[str, type[BaseModel]] = {
    "activity_registered": ActivityRegistered,
    "expense_decided": ExpenseDecided,
    "upkeep_due": UpkeepDue,
}


def render() -> dict[str, str]:
    """Give each schema as the text of its file, by file name."""
    return {
        f"{name}.json": json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}, indent=2
        )
        + "\n"
        for name, model in (CONTRACTS | BROADCASTS).items()
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
