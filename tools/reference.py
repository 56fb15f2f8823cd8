"""The reference dataset (tests/reference): an organisation whose figures were worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from _shared import exact_json
from _shared.database.reports import AlignmentFigures
from _shared.differences import Difference, differences
from bufdir_alignment import align
from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

FOLDER = ROOT / "tests" / "reference"
NAMES = UUID("5d1f9a6e-6c1c-4c40-9d58-3a7d1d8a7a11")


def reference_id(name: str) -> UUID:
    """Give the id of what the dataset calls by this name."""
    return uuid5(NAMES, name)


def read_figures(connection: Connection, organization_id: UUID, year: int) -> dict[str, Any]:
    """Read what report and dashboard say about a year, number for number. As the tables' owner."""
    row = connection.execute(
        "select stats.alignment_figures(%s, %s)::text", (organization_id, year)
    ).fetchone()
    figures = exact_json.loads(row[0]) if row else None
    if not isinstance(figures, dict):
        raise TypeError("stats.alignment_figures gave no object")
    return figures


def check_reference(connection: Connection, *, refreshed: bool = False) -> list[Difference]:
    """Load the dataset, compare what comes out with what was worked out by hand, and undo everything.

    refreshed : fold the dataset into the snapshots first; else the live views find it in the change log.
    Returns what differs; `expected_value` is the hand's.
    """
    dataset, expected = _read(FOLDER / "dataset.json"), _read(FOLDER / "expected.json")
    with connection.transaction(force_rollback=True):
        _load(connection, dataset)
        if refreshed:
            connection.execute("select stats.refresh(p_force := true)")
        figures = read_figures(connection, reference_id("reference"), dataset["year"])
        next_year = read_figures(connection, reference_id("reference"), dataset["year"] + 1)
        duplicates = _possible_duplicates(connection, dataset)
        judgements = {a["number"]: _judgement(connection, a["number"]) for a in dataset["activities"]}
    judged = align(dataset["year"], AlignmentFigures.model_validate(figures))
    actual = {
        "report": figures["report"],
        "dashboard": figures["dashboard"],
        "alignment": exact_json.loads(exact_json.dumps(judged)),
        "not_counted": {str(n): reason for n, (_, reason) in judgements.items() if reason},
        "days": {n: judgements[int(n)][0] for n in expected["days"]},
        "possible_duplicates": duplicates,
        "next_year": next_year,
    }
    return list(differences(_with_ids(expected), actual))


def _judgement(connection: Connection, number: int) -> tuple[str, str | None]:
    """Read on which day an activity counts, or why it does not."""
    row = connection.execute(
        "select activity_date::text, not_counted_because from public.activities where id = %s",
        (reference_id(f"activity {number}"),),
    ).fetchone()
    if row is None:
        raise LookupError(f"activity {number} was not loaded")
    return row[0], row[1]


def _possible_duplicates(connection: Connection, dataset: dict[str, Any]) -> dict[str, list[int | str]]:
    """Read which activities look as if another one was registered once more."""
    numbers = {reference_id(f"activity {a['number']}"): a["number"] for a in dataset["activities"]}
    rows = connection.execute(
        "select activity_id, other_id, reason from public.possible_duplicates where activity_id = any (%s)",
        (list(numbers),),
    )
    return {str(numbers[later]): [numbers[earlier], reason] for later, earlier, reason in rows}


def _read(path: Path) -> dict[str, Any]:
    document = exact_json.loads(path.read_bytes())
    if not isinstance(document, dict):
        raise TypeError(f"{path} is not an object")
    return document


def _with_ids(value: Any) -> Any:
    """Put ids in the places of names."""
    if isinstance(value, dict):
        return {
            key: str(reference_id(item)) if key.endswith("_id") and item else _with_ids(item)
            for key, item in value.items()
        }
    return [_with_ids(item) for item in value] if isinstance(value, list) else value


def _load(connection: Connection, dataset: dict[str, Any]) -> None:
    """Write the organisation; ids follow from names."""
    organization = reference_id("reference")
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into public.organizations (id, slug, name) values (%s, 'reference', 'Reference')",
            (organization,),
        )
        cursor.execute(
            "update public.organization_settings set time_zone = %s where organization_id = %s",
            (dataset["time_zone"], organization),
        )
        cursor.executemany(
            "insert into public.organization_units (id, organization_id, parent_id, kind, name, closed_on)"
            " values (%s, %s, %s, %s, %s, %s)",
            [
                (
                    reference_id(u["name"]),
                    organization,
                    u["parent"] and reference_id(u["parent"]),
                    u["kind"],
                    u["name"],
                    u.get("closed_on"),
                )
                for u in dataset["units"]
            ],
        )
        cursor.executemany(
            "with account as (insert into auth.users (id, email)"
            " values (%(id)s, %(name)s || '@reference.example'))"
            " insert into public.profiles (id, organization_id, role, display_name)"
            " values (%(id)s, %(organization)s, %(role)s, %(name)s)",
            [
                {"id": reference_id(name), "organization": organization, "role": role, "name": name}
                for name, role in dataset["people"].items()
            ],
        )
        cursor.executemany(
            "insert into public.activity_types (id, organization_id, code, label) values (%s, %s, %s, %s)",
            [(reference_id(code), organization, code, code) for code in dataset["types"]],
        )
        cursor.executemany(
            "insert into public.counting_rules values (%s, %s, %s, %s, %s, %s, 'tests/reference/WORKING.md')",
            [
                (
                    organization,
                    reference_id(r["type"]),
                    r["valid_from"],
                    r["counts"],
                    r["minutes"],
                    r["participants"],
                )
                for r in dataset["rules"]
            ],
        )
        cursor.executemany(
            "insert into public.bufdir_thresholds values (%s, %s, %s, %s, %s)",
            [
                (organization, t["valid_from_year"], t["category"], t["minimum"], t["at_risk_ratio"])
                for t in dataset["thresholds"]
            ],
        )
    _publish(connection, 1, dataset["year"], dataset["types"])
    following = dataset["next_mapping"]
    _publish(connection, 2, following["valid_from_year"], following["categories"])
    _load_activities(connection, dataset)
    _decide_on_duplicates(connection, dataset)


def _publish(connection: Connection, version: int, year: int, categories: dict[str, str | None]) -> None:
    """Have a version of the mapping valid from a year on; without a category, a type stands in none."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.bufdir_category_mappings values (%s, %s, %s)",
            [(version, reference_id(code), category) for code, category in categories.items() if category],
        )
        cursor.execute(
            "insert into public.bufdir_mapping_versions (organization_id, mapping_version, valid_from_year)"
            " values (%s, %s, %s)",
            (reference_id("reference"), version, year),
        )


def _decide_on_duplicates(connection: Connection, dataset: dict[str, Any]) -> None:
    """Say of some activities that they are others, and of some that they are not."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "update public.activities set duplicate_of = %s where id = %s",
            _pairs(dataset, "duplicate_of"),
        )
        cursor.executemany(
            "insert into public.not_duplicates (other_id, activity_id, organization_id) values (%s, %s, %s)",
            [(*pair, reference_id("reference")) for pair in _pairs(dataset, "no_duplicate_of")],
        )


def _pairs(dataset: dict[str, Any], field: str) -> list[tuple[UUID, UUID]]:
    return [
        (reference_id(f"activity {a[field]}"), reference_id(f"activity {a['number']}"))
        for a in dataset["activities"]
        if field in a
    ]


def _load_activities(connection: Connection, dataset: dict[str, Any]) -> None:
    organization, coordinator = reference_id("reference"), reference_id("kaja")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.activities (id, organization_id, unit_id, peer_mentor_id, coordinator_id,"
            " activity_type_id, occurred_at, activity_date, duration_minutes, participant_count, contact_id,"
            " is_proxy_registered, registered_by, status)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    reference_id(f"activity {a['number']}"),
                    organization,
                    reference_id(a["chapter"]),
                    reference_id(a["peer_mentor"]),
                    coordinator,
                    reference_id(a["type"]),
                    a["occurred_at"],
                    a.get("date"),
                    a["minutes"],
                    a["participants"],
                    a["contact"] and reference_id(a["contact"]),
                    a["proxy"],
                    coordinator if a["proxy"] else reference_id(a["peer_mentor"]),
                    a["status"],
                )
                for a in dataset["activities"]
            ],
        )
        cursor.executemany(
            "insert into public.expense_claims (activity_id, organization_id, amount_nok, status)"
            " values (%s, %s, %s, %s)",
            [
                (reference_id(f"activity {e['activity']}"), organization, e["amount_nok"], e["status"])
                for e in dataset["expenses"]
            ],
        )
