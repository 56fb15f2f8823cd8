"""`GET /functions/v1/snapshot-status?period_start&period_end`: the database's decision, put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from _shared.callers import User
from _shared.database.snapshots import Period, SnapshotStatus
from _shared.http.endpoint import endpoint
from _shared.result import Err, Ok, Result

if TYPE_CHECKING:
    from _shared.http.request import Call


class Banner(BaseModel):
    """One sentence or two, in English and in Norwegian (bokmål)."""

    model_config = ConfigDict(frozen=True)

    en: str
    nb: str


class StatusReport(SnapshotStatus):
    """May the saved figures be exported, and what is there to say about them."""

    banner: Banner


_MISSING = Banner(
    en="No figures have been saved for this period. Compute them before you export.",
    nb="Det er ikke lagret tall for denne perioden. Beregn dem før du eksporterer.",
)
_FRESH = Banner(
    en="The saved figures match the registered activities.",
    nb="De lagrede tallene stemmer med de registrerte aktivitetene.",
)
_STALE = Banner(
    en="The saved figures are out of date: {reasons}. Compute them again before you export.",
    nb="De lagrede tallene er utdaterte: {reasons}. Beregn dem på nytt før du eksporterer.",
)
_REASONS = {
    "record_count_changed": Banner(
        en="the number of activities has changed from {then} to {now}",
        nb="antall aktiviteter er endret fra {then} til {now}",
    ),
    "records_edited": Banner(en="activities have been edited", nb="aktiviteter er endret"),
    "older_than_max_age": Banner(en="they are too old", nb="de er for gamle"),
    "mapping_changed": Banner(en="the Bufdir categories have changed", nb="Bufdir-kategoriene er endret"),
}


@endpoint("GET", callers={User}, query=Period)
async def snapshot_status(call: Call[Period]) -> Result[StatusReport]:
    """Say whether the saved figures of a period are missing, fresh or stale, and may be exported.

    Errors : forbidden (no active member), feature_disabled.
    Source : public.get_snapshot_status(); nothing is decided here.
    """
    found = await call.database.get_snapshot_status(call.user, call.input)
    if isinstance(found, Err):
        return found
    return Ok(StatusReport(**found.value.model_dump(), banner=banner(found.value)))


def banner(status: SnapshotStatus) -> Banner:
    """Put a status into words, all of its reasons included."""
    if status.verdict == "missing":
        return _MISSING
    if status.verdict == "fresh":
        return _FRESH
    reasons = [_REASONS[reason] for reason in status.reasons]
    counts = {"then": status.record_count_at_generation, "now": status.record_count_now}
    return Banner(
        en=_STALE.en.format(reasons=_list([reason.en for reason in reasons], "and").format(**counts)),
        nb=_STALE.nb.format(reasons=_list([reason.nb for reason in reasons], "og").format(**counts)),
    )


def _list(phrases: list[str], conjunction: str) -> str:
    *first, last = phrases
    return f"{', '.join(first)} {conjunction} {last}" if first else last
