"""What a report says, in Norwegian: the one model that every format writes, cell by cell."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _shared.database.report_versions import ReportVersion, Signature
    from _shared.database.reports import Figures

MONTHS = (
    *("januar", "februar", "mars", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "desember"),
)
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide ones are taken for narrow ones
HIDDEN = "skjult"
NO_CATEGORY = "Uten kategori"
FIGURES = ("Aktiviteter", "Timer", "Ulike deltakere", "Deltakelser")
EXPLANATIONS = (
    ("Aktiviteter", "Registrerte aktiviteter i perioden som teller etter telleregelen."),
    ("Timer", "Samlet varighet: minuttene er summert først, så regnet om til timer med to desimaler."),
    (
        "Ulike deltakere",
        "Kontakter som er registrert, én gang i hver linje. Derfor kan linjene ikke summeres.",
    ),
    ("Deltakelser", "Antall til stede, lagt sammen for alle aktivitetene."),
    (NO_CATEGORY, "Aktivitetstyper som kategoriversjonen ikke har knyttet til noen kategori."),
    (HIDDEN, "Gjelder færre enn fem personer, eller ville røpet tallene for så få."),
    (
        "Fingeravtrykk",
        "Regnet ut av alle aktivitetene i grunnlaget. Endres én av dem, endres fingeravtrykket.",
    ),
    (
        "Kontrollsum",
        "Regnet ut av hele denne versjonen og av den forrige. Viser om noe er endret i ettertid.",
    ),
)


def plain(text: object) -> object:
    """Give a text that no spreadsheet takes for a formula: one line, and nothing that begins one."""
    if not isinstance(text, str):
        return text
    line = " ".join("".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).split())
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line


Text = Annotated[str, BeforeValidator(plain)]
Cell: TypeAlias = int | Decimal | Text


class Table(BaseModel):
    """A table: a title, what its columns are, and its rows. `has_total`: the last row adds up the others."""

    model_config = ConfigDict(frozen=True, strict=True)

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_total: bool = False

    def is_of_figures(self, column: int) -> bool:
        """Whether there is nothing but figures in a column, shown or hidden."""
        cells = [row[column] for row in self.rows]
        return all(isinstance(cell, int | Decimal) or cell == HIDDEN for cell in cells)


class Document(BaseModel):
    """A report as it is handed in."""

    model_config = ConfigDict(frozen=True, strict=True)

    title: Text
    subtitle: Text
    footer: Text
    tables: tuple[Table, ...]


def describe(version: ReportVersion) -> Document:
    """Say a version in words and tables."""
    return Document(
        title=f"Rapport til Bufdir {period(version)}",
        subtitle=version.organization_name,
        footer=f"{version.organization_name} · versjon {version.version} · kontrollsum {version.hash[:16]}",
        tables=(
            Table(title="Om rapporten", columns=("Opplysning", "Verdi"), rows=tuple(about(version))),
            Table(
                title="Kategorier",
                columns=("Kategori", "Omfatter", *FIGURES),
                rows=(
                    *categories(version),
                    *(
                        (NO_CATEGORY, label(version, kind.activity_type_code), *figures(kind))
                        for kind in version.report.uncategorised
                    ),
                    ("Samlet", "", *figures(version.report.totals)),
                ),
                has_total=True,
            ),
            Table(
                title="Regioner",
                columns=("Region", *FIGURES),
                rows=(
                    *(
                        (region.region_name or "Utenfor regionene", *figures(region))
                        for region in version.report.regions
                    ),
                    ("Samlet", *figures(version.report.totals)),
                ),
                has_total=True,
            ),
            Table(title="Forklaringer", columns=("Ord", "Betyr"), rows=EXPLANATIONS),
        ),
    )


def about(version: ReportVersion) -> Iterable[tuple[Cell, Cell]]:
    """Say what this is, of when, and who vouches for it."""
    yield "Organisasjon", version.organization_name
    yield "Periode", period(version)
    yield "Versjon", version.version
    yield "Status", "Sendt" if version.sent else "Godkjent" if version.approved else "Ikke godkjent"
    yield "Tallene gjelder per", moment(version.prepared)
    yield "Utarbeidet av", f"{version.prepared.name}, {moment(version.prepared)}"
    if version.approved:
        yield "Godkjent av", f"{version.approved.name}, {moment(version.approved)}"
    if version.sent:
        yield "Sendt av", f"{version.sent.name}, {moment(version.sent)}"
    yield "Aktiviteter i grunnlaget", version.record_count
    yield "Kategoriversjon", version.mapping_version
    yield "Fingeravtrykk", version.source_fingerprint
    yield "Kontrollsum", version.hash


def categories(version: ReportVersion) -> Iterable[tuple[Cell, ...]]:
    """Give each category, with the activity types that it is made of."""
    for category in version.report.categories:
        code = category.bufdir_category_code
        kinds = ", ".join(kind.label for kind in version.mapping if kind.bufdir_category_code == code)
        yield code, kinds, *figures(category)


def figures(group: Figures) -> tuple[Cell, ...]:
    """Give the four figures, or say that they are hidden."""
    shown = (group.activity_count, group.total_hours, group.distinct_participants, group.participant_count)
    return tuple(HIDDEN if figure is None else figure for figure in shown)


def label(version: ReportVersion, code: str) -> str:
    """Give what people call an activity type."""
    return next((kind.label for kind in version.mapping if kind.activity_type_code == code), code)


def period(version: ReportVersion) -> str:
    """Say which months: a year, or from the first day to the last."""
    start, end = version.period_start, version.period_end
    if start.month == 1 and end == start.replace(year=start.year + 1):
        return str(start.year)
    first, last = (
        f"{day.day}. {MONTHS[day.month - 1]} {day.year}" for day in (start, end - dt.timedelta(days=1))
    )
    return f"{first} til {last}"


def moment(signature: Signature) -> str:
    """Say when, by the organisation's clocks."""
    return f"{dt.datetime.fromisoformat(signature.local_at):%d.%m.%Y kl. %H.%M}"


def text(cell: Cell) -> str:
    """Write a cell as Norwegians do."""
    return format(cell, "f").replace(".", ",") if isinstance(cell, Decimal) else str(cell)
