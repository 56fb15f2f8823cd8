"""The databases that the cases run on: the fake one of the unit tests, and PostgREST on the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from _shared.callers import User
from _shared.database import Database
from _shared.database.client import make_http_client
from tests.functions.hierarchy.scene import planted
from tests.support.credentials import KARI, make_settings, make_token, make_user
from tests.support.examples import NHF, UNIT, make_profile
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


@dataclass(frozen=True)
class World:
    """An organisation with a few units and an activity in 2026.

    head     : its org admin.
    mentor   : a peer mentor.
    stranger : somebody who is no member any more, with a token that still names the organisation.
    switch   : turns its statistics on or off.
    """

    database: Database
    organization: UUID
    unit: UUID
    head: User
    mentor: User
    stranger: User
    switch: Callable[[Literal["on", "off"]], None]


def fake_world() -> World:
    head, mentor = make_user(KARI), make_user(uuid4())
    profiles = {head.id: make_profile(role="org_admin"), mentor.id: make_profile(role="peer_mentor")}
    database = FakeDatabase(profiles=profiles)

    def switch(position: str) -> None:
        database.is_enabled = position == "on"

    return World(database, NHF, UNIT, head, mentor, make_user(uuid4()), switch)


@pytest.fixture
def forest(stack: Stack) -> Iterator[Forest]:
    with planted(stack) as forest:
        forest.add_activity("leaf")
        yield forest
        query = "delete from public.bufdir_metric_snapshots where organization_id = %s"
        forest.db.execute(query, [forest.organization])


def user_of(stack: Stack, forest: Forest, user_id: UUID) -> User:
    app_metadata = {"org_id": str(forest.organization)}
    token = make_token(stack.jwt_secret, sub=str(user_id), app_metadata=app_metadata)
    return User(user_id, SecretStr(token), forest.organization)


def real_world(stack: Stack, forest: Forest, database: Database) -> World:
    row = forest.db.execute("select id from auth.users where email = %s", [forest.admin]).fetchone()
    assert row is not None
    head, mentor, stranger = (user_of(stack, forest, user_id) for user_id in (row[0], forest.mentor, uuid4()))

    def switch(position: str) -> None:
        forest.set("statistics_enabled", position == "on")

    units = forest.units
    return World(database, forest.organization, units["region"], head, mentor, stranger, switch)


@pytest.fixture(params=["fake", "postgrest"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield fake_world()
        return
    stack, forest = request.getfixturevalue("stack"), request.getfixturevalue("forest")
    settings = make_settings(
        SUPABASE_URL=stack.api_url,
        SUPABASE_PUBLISHABLE_KEY=stack.publishable_key,
        SUPABASE_SECRET_KEY=stack.secret_key,
    )
    async with make_http_client(settings) as http:
        yield real_world(stack, forest, Database(settings, http))
