"""Why a version differs: the effects add up, each is right, and no commit is lost or doubled."""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from _shared import exact_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functions.bufdir.reports import Office

EXPLORE = int(os.environ.get("FERSK_EXPLORE", "0"))  # that many new histories instead of the same ones
ROUNDS = EXPLORE or 1_000
YEAR = 2024
MEASURES = ("activity_count", "total_minutes", "total_hours", "participant_count")
Row = dict[str, Any]

INSERT = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by,
        activity_type_id, occurred_at, duration_minutes, participant_count)
    values (%s, %s, %s, %s, %s, %s, %s, %s) returning id
"""
SCENE = """
    with o as (insert into public.organizations (slug, name) values ('explained', 'Explained') returning id),
    u as (insert into auth.users (id, email)
          select gen_random_uuid(), n || '@explained.example' from unnest('{head,a,b,c}'::text[]) n
          returning id, email),
    p as (insert into public.profiles (id, organization_id, role, display_name)
          select u.id, o.id, (case when u.email like 'head%' then 'org_admin' else 'peer_mentor' end)
                 ::public.profile_role, u.email from u, o returning id),
    n as (insert into public.organization_units (organization_id, kind, name)
          select id, 'national', 'All' from o returning id, organization_id),
    t as (insert into public.activity_types (organization_id, code, label)
          select o.id, c, c from o, unnest('{talk,group,other}'::text[]) c returning id)
    select (select id from o) as organization, (select id from n) as root,
           (select array_agg(id) from t) as types,
           (select array_agg(u.id) from u where u.email not like 'head%') as mentors,
           (select u.id from u where u.email like 'head%') as head
"""


def contribution(facts: Row | None) -> tuple[int, int, int]:
    """What an activity adds, worked out once more: activities, minutes, participants."""
    if facts is None or not facts["is_counted"] or facts["activity_date"].year != YEAR:
        return 0, 0, 0
    return 1, facts["duration_minutes"], facts["participant_count"]


@dataclass
class History:
    """An organisation whose activities change in any order, in transactions that overlap."""

    owner: psycopg.Connection[Row]
    writers: list[psycopg.Connection[Row]]
    scene: Row
    random: random.Random
    versions: list[tuple[UUID, dict[UUID, Row]]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def facts(self) -> dict[UUID, Row]:
        rows = self.owner.execute(
            "select id, peer_mentor_id, is_counted, activity_date, duration_minutes, participant_count "
            "from public.activities where organization_id = %s",
            [self.scene["organization"]],
        )
        return {row["id"]: row for row in rows}

    def as_head(self, call: str, *arguments: object) -> Any:
        with self.owner.transaction():
            self.owner.execute(
                "select set_config('request.jwt.claims', jsonb_build_object('sub', %s::text, 'role', "
                "'authenticated', 'app_metadata', jsonb_build_object('org_id', %s::text))::text, true), "
                "set_config('role', 'authenticated', true)",
                [self.scene["head"], self.scene["organization"]],
            )
            row = self.owner.execute(f"select ({call})::text as answer", arguments).fetchone()
        assert row is not None
        return exact_json.loads(row["answer"])

    def prepare(self) -> None:
        self.as_head("public.save_metric_snapshot(p_year => %s)", YEAR)
        version = self.as_head("public.prepare_report(p_year => %s)", YEAR)
        self.versions.append((UUID(version["id"]), self.facts()))

    def write(self) -> None:
        """Change something, in a transaction that another call of this may commit much later.

        Each writer has a mentor of its own, because who writes the same person and day waits.
        """
        pick, number = self.random, self.random.randrange(len(self.writers))
        writer, mentor = self.writers[number], self.scene["mentors"][number]
        if pick.random() < 0.5:
            writer.commit()
        rows = writer.execute("select id from public.activities where peer_mentor_id = %s", [mentor])
        known = sorted(row["id"] for row in rows)
        action = pick.choice(
            ["insert", "insert", "edit", "edit", "type", "status", "move", "delete", "again"]
        )
        if action == "insert" or not known:
            writer.execute(INSERT, self.new_row(mentor))
        else:
            writer.execute(*self.change(action, pick.choice(known)))
        if pick.random() < 0.1:
            writer.rollback()

    def new_row(self, mentor: UUID) -> tuple[Any, ...]:
        pick, scene = self.random, self.scene
        day = f"{pick.choice([YEAR, YEAR, YEAR, YEAR + 1])}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}"
        return (
            *(scene["organization"], pick.choice(scene["chapters"]), mentor, mentor),
            *(pick.choice(scene["types"]), f"{day}T12:00Z", pick.randint(1, 19), pick.randint(0, 9)),
        )

    def change(self, action: str, activity: UUID) -> tuple[str, list[Any]]:
        pick, scene = self.random, self.scene
        if action == "delete":
            return "delete from public.activities where id = %s", [activity]
        setting, value = {
            "edit": ("duration_minutes = %s", pick.randint(1, 19)),
            "type": ("activity_type_id = %s", pick.choice(scene["types"])),
            "status": (
                "status = %s::public.activity_status",
                pick.choice(["draft", "registered", "rejected"]),
            ),
            "move": ("unit_id = %s", pick.choice(scene["chapters"])),
            "again": ("occurred_at = %s", self.new_row(scene["mentors"][0])[5]),
        }[action]
        return f"update public.activities set {setting} where id = %s", [value, activity]

    def check(self, former: int, latter: int | None) -> None:
        """Every list of an explanation adds up, and each activity's effect is what was worked out."""
        version, before = self.versions[former]
        against, after = self.versions[latter] if latter is not None else (None, self.facts())
        said = self.as_head("public.explain_report_difference(%s, %s)", version, against)
        assert not any(said["unrecorded"].values())
        for name in ("kinds", "chapters", "people", "activities"):
            for measure in MEASURES:
                total = sum(row[measure] for row in said[name])
                assert total == said["difference"][measure], (name, measure)
        expected = {
            one: tuple(
                b - a
                for a, b in zip(contribution(before.get(one)), contribution(after.get(one)), strict=True)
            )
            for one in before.keys() | after.keys()
        }
        found = {
            UUID(row["activity_id"]): (row["activity_count"], row["total_minutes"], row["participant_count"])
            for row in said["activities"]
        }
        assert {one: effect for one, effect in found.items() if any(effect)} == {
            one: effect for one, effect in expected.items() if any(effect)
        }
        assert said["difference"]["total_hours"] == self.hours(against) - self.hours(version)
        self.kinds |= {row["kind"] for row in said["kinds"]}

    def hours(self, version: UUID | None) -> Decimal:
        """What the report itself says."""
        row = self.owner.execute(
            "select coalesce((select c.report from stats.complete_versions c where c.version_id = %s), "
            "stats.bufdir_report(%s, %s, %s, 0)) #>> '{totals,total_hours}' as hours",
            [version, self.scene["organization"], f"{YEAR}-01-01", f"{YEAR + 1}-01-01"],
        ).fetchone()
        assert row is not None
        return Decimal(row["hours"])


@pytest.fixture(scope="module")
def history(office: Office) -> Iterator[History]:
    with ExitStack() as stack:
        owner, *writers = (
            stack.enter_context(
                psycopg.connect(
                    office.stack.db_url,
                    autocommit=number == 0,
                    row_factory=dict_row,
                    options="-c lock_timeout=10s",
                )
            )
            for number in range(4)
        )
        scene = owner.execute(SCENE).fetchone()
        assert scene is not None
        scene["chapters"] = [
            row["id"]
            for name in ("One", "Two")
            for row in owner.execute(
                "insert into public.organization_units (organization_id, parent_id, kind, name) "
                "values (%s, %s, 'local', %s) returning id",
                [scene["organization"], scene["root"], name],
            )
        ]
        for mentor in scene["mentors"]:
            for chapter in scene["chapters"]:
                owner.execute(
                    "insert into public.chapter_assignments (profile_id, unit_id, organization_id) "
                    "values (%s, %s, %s)",
                    [mentor, chapter, scene["organization"]],
                )
        yield History(owner, writers, scene, random.Random(None if EXPLORE else 20261127))  # noqa: S311 - not for a secret


def test_the_effects_add_up_in_a_thousand_histories(history: History) -> None:
    history.prepare()
    for number in range(ROUNDS):
        for _ in range(history.random.randint(1, 4)):
            history.write()
        if number % 5 == 0:
            history.prepare()
        former = history.random.randrange(len(history.versions))
        latter = history.random.choice([None, history.random.randrange(len(history.versions))])
        history.check(former, latter)
    assert history.kinds == {
        *("added", "removed", "edited", "recategorised", "newly_counted", "no_longer_counted")
    }


@pytest.mark.parametrize("change", ["insert", "update"])
def test_what_commits_around_a_version_is_neither_lost_nor_doubled(history: History, change: str) -> None:
    """The later number commits first, then the version is prepared, then the earlier number commits."""
    for writer in history.writers:
        writer.commit()
    early, late, _ = history.writers
    rows = [list(history.new_row(mentor)) for mentor in history.scene["mentors"][:2]]
    for row in rows:
        row[5] = f"{YEAR}-06-06T12:00Z"
    targets = []
    if change == "update":
        targets = [one["id"] for row in rows for one in history.owner.execute(INSERT, row)]
    for number, writer in enumerate((early, late)):
        if change == "insert":
            targets += [one["id"] for one in writer.execute(INSERT, rows[number])]
        else:
            edit = "update public.activities set participant_count = participant_count + 11 where id = %s"
            writer.execute(edit, [targets[number]])
    late.commit()
    history.prepare()
    early.commit()
    version, _ = history.versions[-1]
    said = history.as_head("public.explain_report_difference(%s, null)", version)
    assert [one["activity_id"] for one in said["activities"]] == [str(targets[0])]
    history.check(len(history.versions) - 1, None)
    history.prepare()
    history.check(len(history.versions) - 2, len(history.versions) - 1)
    history.check(len(history.versions) - 1, None)


def test_what_no_history_tells_of_is_said(history: History) -> None:
    history.prepare()
    version, before = history.versions[-1]
    victim = next(one for one, facts in before.items() if contribution(facts)[0])
    history.owner.execute("set session_replication_role = replica")
    try:
        history.owner.execute("delete from public.activities where id = %s", [victim])
    finally:
        history.owner.execute("set session_replication_role = origin")
    history.owner.execute("select stats.rebuild(null)")
    said = history.as_head("public.explain_report_difference(%s, null)", version)
    assert said["activities"] == []
    assert said["unrecorded"]["activity_count"] == said["difference"]["activity_count"] == -1


def test_another_mapping_is_said_type_by_type(history: History) -> None:
    history.prepare()
    version, _ = history.versions[-1]
    kind = history.scene["types"][0]
    history.owner.execute(
        "insert into public.bufdir_category_mappings "
        "(mapping_version, activity_type_id, bufdir_category_code) values (1, %s, 'GROUP')",
        [kind],
    )
    history.owner.execute(
        "insert into public.bufdir_mapping_versions (organization_id, mapping_version, valid_from_year) "
        "values (%s, 1, 2000)",
        [history.scene["organization"]],
    )
    said = history.as_head("public.explain_report_difference(%s, null)", version)
    assert said["mapping_changes"] == [
        {"activity_type_id": str(kind), "category_before": None, "category_after": "GROUP"}
    ]
    assert not any(said["difference"].values())
