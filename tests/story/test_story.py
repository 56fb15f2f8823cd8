"""The story the product exists for, played by the seeded people through the real chain."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import httpx
import psycopg
import pytest
from supabase import Client, ClientOptions, create_client

from tests.support.people import PASSWORD
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@contextmanager
def signed_in(stack: Stack, email: str) -> Iterator[Client]:
    with httpx.Client(timeout=10) as http:
        options = ClientOptions(httpx_client=http, auto_refresh_token=False, persist_session=False)
        client = create_client(stack.api_url, stack.publishable_key, options)
        client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        yield client


def one(client: Client, relation: str, **filters: str) -> dict[str, Any]:
    query = client.table(relation).select("*")
    for column, value in filters.items():
        query = query.eq(column, value)
    return cast("dict[str, Any]", query.single().execute().data)


@pytest.fixture
def no_debounce(stack: Stack) -> Iterator[None]:
    """Refresh right away, however long the last one took; what is read live does not depend on it."""
    with psycopg.connect(stack.db_url, autocommit=True) as db:
        db.execute("update stats.settings set debounce = '0'")
        db.execute("update stats.stats_refresh_log set last_duration_ms = 0")
        yield
        db.execute("update stats.settings set debounce = default")


@pytest.mark.usefixtures("no_debounce")
def test_an_activity_registered_by_a_peer_mentor_changes_the_coordinators_statistics(stack: Stack) -> None:
    with signed_in(stack, "ola@nhf.example") as ola, signed_in(stack, "kari@nhf.example") as kari:
        oslo = one(kari, "chapters", name="Oslo")["id"]
        conversation = one(ola, "activity_types", code="conversation")["id"]
        live_before = one(kari, "chapter_stats", chapter_id=oslo)
        assert one(kari, "mv_chapter_stats", chapter_id=oslo)["activity_count"] > 0

        activity = {
            "id": str(uuid.uuid4()),
            "unit_id": oslo,
            "activity_type_id": conversation,
            "occurred_at": datetime.now(UTC).isoformat(),
            "duration_minutes": 60,
        }
        ola.table("activities").insert(activity).execute()
        try:
            # exact at once, whatever becomes of the webhook
            live_after = one(kari, "chapter_stats", chapter_id=oslo)
            assert live_after["activity_count"] == live_before["activity_count"] + 1
            assert round(live_after["total_hours"] - live_before["total_hours"], 2) == 1.0

            # trigger → pg_net → signed webhook → function → refresh: the snapshot catches up
            # (where another refresh was just running, it is left to the sweep)
            eventually(lambda: one(kari, "mv_chapter_stats", chapter_id=oslo) == live_after, seconds=90)
            eventually(lambda: one(kari, "stats_freshness")["pending_changes"] == 0)
            assert one(kari, "chapter_stats", chapter_id=oslo) == live_after
            assert_webhook_was_accepted(stack)
        finally:
            ola.table("activities").delete().eq("id", activity["id"]).execute()
        assert one(kari, "chapter_stats", chapter_id=oslo) == live_before


def assert_webhook_was_accepted(stack: Stack) -> None:
    def outcome() -> Any:
        with psycopg.connect(stack.admin_db_url) as db:
            return db.execute(
                "select status_code, error_msg from net._http_response"
                " where content::jsonb -> 'data' ->> 'outcome' in ('refreshed', 'already_running') limit 1",
            ).fetchone()

    eventually(lambda: outcome() == (200, None))


STATISTICS = ("chapter_stats", "peer_mentor_stats", "activity_time_series",
              "mv_chapter_stats", "mv_peer_mentor_stats", "mv_activity_time_series")  # fmt: skip


@pytest.mark.parametrize("relation", STATISTICS)
def test_a_coordinator_sees_their_chapters_and_no_other(stack: Stack, relation: str) -> None:
    chapters = names_of_chapters(stack)

    def seen_by(email: str) -> set[tuple[str, str]]:
        with signed_in(stack, email) as client:
            rows = cast("list[dict[str, str]]", client.table(relation).select("chapter_id").execute().data)
            return {chapters[row["chapter_id"]] for row in rows}

    kari, bjorn, hanne = (seen_by(f"{who}.example") for who in ("kari@nhf", "bjorn@nhf", "hanne@hlf"))
    assert {("nhf", "Oslo"), ("nhf", "Bærum")} <= kari
    assert kari <= {("nhf", name) for name in ("Oslo", "Bærum", "Asker", "Drammen", "Lillestrøm")}
    # the twins: those who are entitled do see what Kari does not
    assert ("nhf", "Bergen") in bjorn
    assert not kari & bjorn
    assert {organization for organization, _ in hanne} == {"hlf"}


def test_asking_for_a_foreign_chapter_by_name_gives_no_row(stack: Stack) -> None:
    chapters = {place: chapter_id for chapter_id, place in names_of_chapters(stack).items()}
    bergen = chapters["nhf", "Bergen"]
    with signed_in(stack, "kari@nhf.example") as kari, signed_in(stack, "bjorn@nhf.example") as bjorn:
        for relation in STATISTICS:
            assert kari.table(relation).select("*").eq("chapter_id", bergen).execute().data == []
            assert bjorn.table(relation).select("*").eq("chapter_id", bergen).execute().data != []
        assert kari.table("activities").select("id").eq("unit_id", bergen).execute().data == []
        assert bjorn.table("activities").select("id").eq("unit_id", bergen).limit(1).execute().data != []


def names_of_chapters(stack: Stack) -> dict[str, tuple[str, str]]:
    with psycopg.connect(stack.db_url) as db:
        rows = db.execute("select u.id, o.slug, u.name from organization_units u"
                          " join organizations o on o.id = u.organization_id").fetchall()  # fmt: skip
    return {str(unit_id): (slug, name) for unit_id, slug, name in rows}
