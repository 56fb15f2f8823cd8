"""What an auditor gets verifies itself, and finds whatever somebody changed, also with triggers off."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.functions.bufdir.support import data, refusal

if TYPE_CHECKING:
    from tests.functions.bufdir.reports import Office

EDITS = 1_000
CHANGES = {
    "uuid": "gen_random_uuid()",
    "text": "md5({column} || {number}) || md5({column})",
    "integer": "{column} + 1 + {number}",
    "bigint": "{column} + 1 + {number}",
    "date": "{column} + 31",
    "timestamp with time zone": "{column} + make_interval(secs => 1 + {number})",
}
JSON = {
    "snapshot_json": "jsonb_set({column}, '{{totals,participant_count}}', to_jsonb(900000 + {number}))",
    "mapping": "{column} || to_jsonb({number})",
    "counting_rule": "{column} || jsonb_build_object('more', {number})",
}


def pack(office: Office, version: object) -> dict[str, bytes]:
    answer = office.export("org admin", version, "audit")
    assert refusal(answer) == (200, None)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def verify(connection: psycopg.Connection[Any], statements: str) -> dict[str, bool]:
    """Run what the auditor runs; it ends with a rollback."""
    cursor = connection.execute(statements.encode())
    found: dict[str, bool] = {}
    while True:
        if cursor.description:
            found |= dict(cursor.fetchall())
        if not cursor.nextset():
            return found


@pytest.fixture(scope="module")
def sent(office: Office) -> Any:
    """A version that was sent, with one before and one after it."""
    office.prepare()
    version = office.approve()
    sent = data(office.step("coordinator", "send", version["id"]))
    office.edit()
    office.approve()
    return sent


def test_the_pack_says_what_the_version_was_made_of(office: Office, sent: Any) -> None:
    files = pack(office, sent["id"])
    report = f"bufdir-{office.days.start:%Y-%m}-{office.days.end:%Y-%m}-v{sent['version']}"
    assert files.keys() == {
        *(f"{report}.{ending}" for ending in ("csv", "xlsx", "pdf")),
        *("aktiviteter.csv", "lokallag.csv", "kategorier.csv"),
        *("definisjoner.txt", "telleregel.json", "verify.sql"),
    }
    rows = {
        name: list(csv.DictReader(io.StringIO(files[name].decode("utf-8-sig"), newline=""), delimiter=";"))
        for name in ("aktiviteter.csv", "lokallag.csv", "kategorier.csv")
    }
    totals = office.versions()[1]["report"]["totals"]
    assert len(rows["aktiviteter.csv"]) == sent["record_count"] == totals["activity_count"]
    for name in ("aktiviteter.csv", "lokallag.csv"):
        minutes = sum(int(row["minutter"]) for row in rows[name])
        assert round(minutes / 60, 2) == float(totals["total_hours"]), name
        assert sum(int(row["deltakelser"]) for row in rows[name]) == totals["participant_count"]
    assert {row["kategori"] for row in rows["kategorier.csv"]} > {"", "INDIVIDUAL"}
    assert pack(office, sent["id"]) == files


def test_the_sql_finds_nothing_where_nothing_was_changed(office: Office, sent: Any) -> None:
    statements = pack(office, sent["id"])["verify.sql"].decode()
    with psycopg.connect(office.stack.db_url, autocommit=True) as connection:
        found = verify(connection, statements)
        assert len(found) == 8
        assert set(found.values()) == {True}
        # a list with one activity less does not add up
        first = next(line for line in statements.splitlines() if line.startswith("    ('"))
        found = verify(connection, statements.replace(f"{first}\n", "", 1))
        assert [checked for checked, is_true in found.items() if not is_true] == [
            "its activities are as many as are listed",
            "their hours and participants add up to its totals",
        ]


def test_the_sql_finds_a_thousand_random_edits(office: Office, sent: Any) -> None:
    pick = random.Random(20261127)  # noqa: S311 - not for a secret
    statements = pack(office, sent["id"])["verify.sql"].decode()
    found_all, done = 0, 0
    with psycopg.connect(office.stack.db_url, autocommit=True) as connection:
        columns = connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'public' and table_name = 'bufdir_report_versions'"
        ).fetchall()
        ids = [row[0] for row in connection.execute("select id from public.bufdir_report_versions")]
        while done < EDITS:
            column, kind = pick.choice(columns)
            change = (JSON[column] if kind == "jsonb" else CHANGES[kind]).format(
                column=f'"{column}"', number=pick.randint(0, 9999)
            )
            connection.execute("begin")
            connection.execute("set local session_replication_role = replica")
            try:
                edited = connection.execute(
                    sql.SQL(
                        "update public.bufdir_report_versions set {0} = {1} "
                        "where id = {2} and {0} is distinct from {1}"
                    ).format(sql.Identifier(column), sql.SQL(change), pick.choice(ids))
                ).rowcount
            except psycopg.IntegrityError:  # some values no edit can bring about
                edited = 0
            if not edited:
                connection.execute("rollback")
                continue
            done += 1
            found_all += not all(verify(connection, statements).values())
    assert found_all == EDITS


@pytest.mark.parametrize(
    "removal",
    [
        "delete from public.bufdir_report_versions where id = %s",
        """delete from public.bufdir_report_versions
           where position = (select max(v.position) from public.bufdir_report_versions v) and id <> %s""",
        """update public.bufdir_report_versions
           set approved_by = null, approved_at = null, sent_by = null, sent_at = null, signed_hash = null
           where id = %s""",
        """update stats.complete_versions set report = report || '{"regions": []}' where version_id = %s""",
    ],
    ids=["the-version", "the-last-version", "its-signatures", "its-small-groups"],
)
def test_the_sql_misses_what_was_taken_away(office: Office, sent: Any, removal: str) -> None:
    statements = pack(office, sent["id"])["verify.sql"].decode()
    with psycopg.connect(office.stack.db_url, autocommit=True) as connection:
        connection.execute("begin")
        connection.execute("set local session_replication_role = replica")
        assert connection.execute(removal, [sent["id"]]).rowcount == 1
        assert not all(verify(connection, statements).values())
        assert all(verify(connection, statements).values())
