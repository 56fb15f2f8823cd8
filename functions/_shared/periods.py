"""The period of a report, as callers name it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from _shared.call import REFUSAL, Input

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso(value: object) -> object:
    # pydantic would take "0" for the first day of 1970
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        return dt.date.fromisoformat(value)
    if isinstance(value, dt.date):
        return value
    raise ValueError("not an ISO date")


class Period(Input):
    """Whole days in UTC: `period_start` is the first one, `period_end` the first one after."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"period_start": "2026-01-01", "period_end": "2027-01-01"}]}
    )

    period_start: Annotated[dt.date, BeforeValidator(_iso)]
    period_end: Annotated[dt.date, BeforeValidator(_iso)]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.period_end < self.period_start:
            raise PydanticCustomError(REFUSAL, "period_end is before period_start.")
        return self
