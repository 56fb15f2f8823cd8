"""An app that did not hear the answer sends once more: with the id that it made, nothing happens twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.database.limits.support import Caller, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

Connection = psycopg.Connection[Any]
IGNORED, MERGED = "resolution=ignore-duplicates", "resolution=merge-duplicates"


@pytest.fixture
def db(stack: Stack) -> Iterator[Connection]:
    """As the owner, and without the activities of a test's own afterwards."""
    with psycopg.connect(stack.db_url, autocommit=True) as db:
        before = db.execute("select max(inserted_at) from public.activities").fetchone()
        yield db
        db.execute("delete from public.activities where inserted_at > %s", before)


class World:
    """Kari follows up Oslo, where Ola and Liv work; Bjørn follows up Bergen."""

    def __init__(self, stack: Stack, db: Connection) -> None:
        self._stack, self._db = stack, db
        people = db.execute(
            "select split_part(u.email, '@', 1), p.id, p.organization_id from public.profiles p"
            " join auth.users u on u.id = p.id where u.email like '%@nhf.example'"
        ).fetchall()
        self.ids: dict[str, UUID] = {name: person for name, person, _ in people}
        self.organization: UUID = people[0][2]
        self.chapters = dict(
            db.execute(
                "select name, id from public.organization_units where organization_id = %s",
                [self.organization],
            ).fetchall()
        )
        [(self.talk,)] = db.execute(
            "select id from public.activity_types where organization_id = %s and code = 'conversation'",
            [self.organization],
        ).fetchall()

    def caller(self, name: str) -> Caller:
        return Caller(self._stack, token(self._stack, self.ids[name], self.organization))

    def activity(self, mentor: str, by: str | None = None, **columns: object) -> dict[str, object]:
        """All that an app that works offline writes, with an id of its own."""
        return {
            "id": str(uuid4()),
            "organization_id": str(self.organization),
            "unit_id": str(self.chapters["Oslo"]),
            "peer_mentor_id": str(self.ids[mentor]),
            "registered_by": str(self.ids[by or mentor]),
            "is_proxy_registered": by is not None,
            "activity_type_id": str(self.talk),
            "occurred_at": "2026-02-03T10:00:00Z",
            "duration_minutes": 800,  # twice would be more than a day has
            "participant_count": 1,
            "summary": "a good talk",
        } | columns

    def stored(self, sent: dict[str, object]) -> list[tuple[Any, ...]]:
        return self._db.execute(
            "select id::text, duration_minutes, summary, coordinator_id, is_counted"
            " from public.activities where id = %s",
            [sent["id"]],
        ).fetchall()


@pytest.fixture
def world(stack: Stack, db: Connection) -> World:
    return World(stack, db)


@pytest.mark.parametrize(
    ("prefer", "status"), [(None, 409), (IGNORED, 201), (MERGED, 200)], ids=["plain", "ignored", "merged"]
)
@pytest.mark.parametrize(("mentor", "by"), [("ola", None), ("ola", "kari"), ("kari", None)])
def test_what_is_sent_again_is_there_once(
    world: World, mentor: str, by: str | None, prefer: str | None, status: int
) -> None:
    caller, sent = world.caller(by or mentor), world.activity(mentor, by)
    headers = {"prefer": prefer} if prefer else {}
    assert caller.call("POST", "activities", sent, **headers).status_code == 201
    first = world.stored(sent)
    assert [row[:2] for row in first] == [(sent["id"], 800)]
    again = caller.call("POST", "activities", sent, **headers)
    assert again.status_code == status, again.text
    if status == 409:
        assert again.json()["code"] == "23505"
    assert world.stored(sent) == first


def test_several_sent_again_with_a_new_one(world: World) -> None:
    ola = world.caller("ola")
    rows = [world.activity("ola", occurred_at=f"2026-02-0{day}T10:00:00Z") for day in (4, 5, 6)]
    assert ola.call("POST", "activities", rows[:2], prefer=IGNORED).status_code == 201
    assert ola.call("POST", "activities", rows, prefer=IGNORED).status_code == 201
    assert [len(world.stored(row)) for row in rows] == [1, 1, 1]


def test_a_correction_may_be_sent_as_the_whole_activity(world: World) -> None:
    ola, sent = world.caller("ola"), world.activity("ola")
    assert ola.call("POST", "activities", sent, prefer=MERGED).status_code == 201
    corrected = sent | {"duration_minutes": 45, "summary": "a short one"}
    assert ola.call("POST", "activities", corrected, prefer=MERGED).status_code == 200
    assert world.stored(sent)[0][1:3] == (45, "a short one")


def test_what_is_ignored_overwrites_nothing(world: World) -> None:
    ola, kari, sent = world.caller("ola"), world.caller("kari"), world.activity("ola")
    ola.call("POST", "activities", sent, prefer=IGNORED)
    path = f"activities?id=eq.{sent['id']}"
    assert kari.call("PATCH", path, {"duration_minutes": 60}).status_code == 204
    assert ola.call("POST", "activities", sent, prefer=IGNORED).status_code == 201
    assert world.stored(sent)[0][1] == 60


def test_nobody_gets_at_anothers_by_its_id(world: World) -> None:
    """Not even one's own coordinator makes an activity another's; a stranger learns and changes nothing."""
    sent = world.activity("ola")
    assert world.caller("ola").call("POST", "activities", sent).status_code == 201
    first = world.stored(sent)
    others = sent | {"peer_mentor_id": str(world.ids["liv"]), "registered_by": str(world.ids["liv"])}
    taken = world.caller("liv").call("POST", "activities", others, prefer=MERGED)
    assert (taken.status_code, taken.json()["code"]) == (403, "42501")
    proxy = sent | {"registered_by": str(world.ids["kari"]), "is_proxy_registered": True}
    named = world.caller("kari").call("POST", "activities", proxy, prefer=MERGED)
    assert (named.status_code, named.json()["code"], named.json()["message"]) == (
        403,
        "42501",
        "whose an activity is, and who registered it, does not change",
    )
    assert world.caller("liv").call("POST", "activities", others, prefer=IGNORED).status_code == 201
    assert world.stored(sent) == first


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"coordinator_id": "bjorn"}, "the coordinator is no active coordinator of the chapter"),
        ({"peer_mentor_id": "solveig"}, "the peer mentor is not active in the chapter"),
    ],
    ids=["coordinator", "peer mentor"],
)
def test_who_is_named_works_in_the_chapter(world: World, columns: dict[str, str], message: str) -> None:
    kari, sent = world.caller("kari"), world.activity("ola", "kari")
    wrong = sent | {column: str(world.ids[name]) for column, name in columns.items()}
    refused = kari.call("POST", "activities", wrong)
    assert (refused.status_code, refused.json()["code"], refused.json()["message"]) == (400, "23514", message)
    assert world.stored(sent) == []
    right = sent | {"coordinator_id": str(world.ids["kari"])}
    assert kari.call("POST", "activities", right).status_code == 201
    assert world.stored(sent)[0][3] == world.ids["kari"]


def test_a_meeting_registered_three_times_counts_once_when_it_is_resolved(world: World) -> None:
    """By its peer mentor twice, with other ids, and once more by proxy."""
    ola, kari = world.caller("ola"), world.caller("kari")
    meeting: dict[str, Any] = {"duration_minutes": 60, "occurred_at": "2026-02-09T10:00:00Z"}
    sent = [world.activity("ola", **meeting), world.activity("ola", **meeting)]
    sent.append(world.activity("ola", "kari", **meeting))
    for row, caller in zip(sent, (ola, ola, kari), strict=True):
        assert caller.call("POST", "activities", row).status_code == 201
    ids = [str(row["id"]) for row in sent]

    def listed(caller: Caller) -> set[tuple[str, str]]:
        answer = caller.call("GET", "possible_duplicates?activity_date=eq.2026-02-09")
        return {(row["activity_id"], row["other_id"]) for row in answer.json()}

    assert listed(kari) == {(ids[1], ids[0]), (ids[2], ids[0]), (ids[2], ids[1])}
    assert listed(world.caller("bjorn")) == set()
    refused = ola.call("PATCH", f"activities?id=eq.{ids[1]}", {"duplicate_of": ids[0]})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "only who follows up the chapter decides on duplicates",
    )
    path = f"activities?id=in.({ids[1]},{ids[2]})"
    assert kari.call("PATCH", path, {"duplicate_of": ids[0]}).status_code == 204
    assert listed(kari) == set()
    assert [row[0][4] for row in map(world.stored, sent)] == [True, False, False]
    because = ola.call("GET", f"activities?select=not_counted_because&id=eq.{ids[1]}").json()
    assert because == [{"not_counted_because": "duplicate"}]
    history = kari.call("GET", f"activity_history?activity_id=eq.{ids[1]}&select=changed_by").json()
    assert history == [{"changed_by": str(world.ids["kari"])}]
