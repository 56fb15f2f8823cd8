"""A new version in the documented order, migrations first and then the functions: no call fails meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from local.requirements import ROOT
from tests.support.deployment import Deployment
from tests.support.people import sign_in
from tests.support.stacks import own_stack
from tests.support.waiting import eventually
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack
    from tests.support.people import Session

LATER = ROOT / "tests" / "database" / "later_measure"
AT_LEAST = 30


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of its own, whose schema changes."""
    with own_stack(tmp_path_factory, "upgrade") as stack:
        yield stack


class People(threading.Thread):
    """Do the same again and again; keep each answer that is none."""

    def __init__(self, act: Callable[[], httpx.Response]) -> None:
        super().__init__()
        self._act = act
        self._stopping = threading.Event()
        self.done = 0
        self.failed: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(0.02):
            answer = self._act()
            self.done += 1
            if not answer.is_success:
                self.failed.append(f"{answer.status_code} {answer.text[:200]}")

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def calling(deployment: Deployment, session: Session, http: httpx.Client) -> Callable[[], httpx.Response]:
    """Give a call of the newest functions."""

    def call() -> httpx.Response:
        while True:
            url = deployment.url
            deployment.under_way.add(url)
            if url == deployment.url:
                break
            deployment.under_way.discard(url)
        try:
            return http.get(f"{url}/snapshot-status?year=2026", headers=session.headers)
        finally:
            deployment.under_way.discard(url)

    return call


def test_nobody_notices_a_new_version(own: Stack) -> None:
    kari, ola = sign_in(own, "kari@nhf.example"), sign_in(own, "ola@nhf.example")
    mine = {"select": "id", "order": "id", "limit": "1", "peer_mentor_id": f"eq.{ola.user_id}"}
    with lifted(own), httpx.Client(timeout=30, trust_env=False) as http:
        [activity] = http.get(f"{own.rest_url}/activities", params=mine, headers=ola.headers).json()
        minutes = iter(range(10**6))

        def write() -> httpx.Response:
            body = {"duration_minutes": 30 + next(minutes) % 60}
            path = f"{own.rest_url}/activities?id=eq.{activity['id']}"
            return http.patch(path, json=body, headers=ola.headers)

        deployment = Deployment(own, own.api_url)
        everybody: list[People] = []
        try:
            deployment.deploy({})
            everybody = [
                People(calling(deployment, kari, http)),
                People(lambda: http.get(f"{own.rest_url}/chapter_stats", headers=kari.headers)),
                People(write),
            ]
            for each in everybody:
                each.start()
            until_done(everybody)
            with psycopg.connect(own.db_url) as owner:  # the migration, in one transaction
                owner.execute((LATER / "migration.sql").read_bytes())
            until_done(everybody)  # the old functions, on the new schema
            deployment.deploy({})
            until_done(everybody)
        finally:
            for each in everybody:
                if each.is_alive():
                    each.stop()
            deployment.stop()
        assert [each.failed for each in everybody] == [[], [], []]
        [row, *_] = http.get(f"{own.rest_url}/chapter_stats", headers=kari.headers).json()
        assert "proxy_count" in row
    with psycopg.connect(own.db_url) as owner:
        assert owner.execute("select * from stats.audit()").fetchall() == []


def until_done(everybody: list[People]) -> None:
    """Wait until each has done some more, or has failed."""
    before = [each.done for each in everybody]
    eventually(
        lambda: all(
            each.done >= seen + AT_LEAST or each.failed for each, seen in zip(everybody, before, strict=True)
        )
    )
