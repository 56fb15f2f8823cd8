"""What is unusual in a report, in words, for whoever signs it. Nothing is refused because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from _shared.database.report_versions import Remark


class Sentence(BaseModel):
    """One sentence, in English and in Norwegian (bokmål)."""

    model_config = ConfigDict(frozen=True)

    en: str
    nb: str


_SENTENCES = {
    "person_day": Sentence(
        en="{person} has {number} activities of {hours} hours together on {day}.",
        nb="{person} har {number} aktiviteter på til sammen {hours} timer den {day}.",
    ),
    "person": Sentence(
        en="{person} has {hours} hours in the period, far more than others (up to {expected} is usual).",
        nb="{person} har {hours} timer i perioden, langt flere enn andre (inntil {expected} er vanlig).",
    ),
    "chapter": Sentence(
        en="{chapter} has {hours} hours for each peer mentor, far more than other chapters"
        " (up to {expected} is usual).",
        nb="{chapter} har {hours} timer per likeperson, langt flere enn andre lokallag"
        " (inntil {expected} er vanlig).",
    ),
    "day": Sentence(
        en="{day} has {number} activities, far more than other days (up to {expected} is usual).",
        nb="{day} har {number} aktiviteter, langt flere enn andre dager (inntil {expected} er vanlig).",
    ),
    "participants": Sentence(
        en="An activity of {chapter} on {day} has {number} participants (up to {expected} is usual).",
        nb="En aktivitet i {chapter} den {day} har {number} deltakere (inntil {expected} er vanlig).",
    ),
    "last_year": Sentence(
        en="{chapter} has {number} activities; in the same months of the year before there were {expected}.",
        nb="{chapter} har {number} aktiviteter; i de samme månedene året før var det {expected}.",
    ),
    "future": Sentence(
        en="An activity of {person} in {chapter} is dated {day}, which is yet to come.",
        nb="En aktivitet av {person} i {chapter} er datert {day}, som ikke har vært ennå.",
    ),
    "late": Sentence(
        en="{chapter} has {number} activities that were registered more than {expected} days after.",
        nb="{chapter} har {number} aktiviteter som ble registrert mer enn {expected} dager etterpå.",
    ),
}


def sentence(remark: Remark) -> Sentence:
    """Put a remark into words."""
    pattern = _SENTENCES[remark.kind]
    words = {
        "person": remark.peer_mentor_name,
        "chapter": remark.chapter_name,
        "number": remark.number,
    }
    figures = {"hours": remark.hours, "expected": remark.expected}
    en = {name: _shorten(str(figure)) for name, figure in figures.items()}
    nb = {name: text.replace(".", ",") for name, text in en.items()}
    day = remark.day
    return Sentence(
        en=pattern.en.format(**words, **en, day=day and day.isoformat()),
        nb=pattern.nb.format(**words, **nb, day=day and f"{day:%d.%m.%Y}"),
    )


def _shorten(figure: str) -> str:
    return figure.rstrip("0").rstrip(".") if "." in figure else figure
