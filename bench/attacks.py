"""What one signed-in person can do to a server: floods of requests, each as expensive as it is let be."""

from __future__ import annotations

import http.client
import itertools
import json
import multiprocessing
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tools.large.population import SLUG, Population

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event


ADMIN = f"admin@{SLUG}.example"
TIMEOUT_SECONDS = 40
CENTURY = {"period_start": "2000-01-01", "period_end": "2100-01-01"}  # the longest that is answered
CHAPTER = "organization_units(name,activities(id,summary"
TOO_LARGE = b'{"p_query": "' + b"a" * 6 * 2**20 + b'"}'


@dataclass(frozen=True)
class Attack:
    """So many threads, each of which sends its next request when it has the answer, whatever that is.

    targets : paths and queries, taken in turn.
    """

    threads: int
    method: str
    targets: tuple[str, ...]
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def attacks() -> dict[str, Attack]:
    """Give every attack by its name."""
    population = Population()
    century = urlencode(CENTURY)
    report = {f"p_{name}": day for name, day in CENTURY.items()} | {"p_org_id": population.organization_id}
    summaries = tuple(
        f"/functions/v1/hierarchy-stats?unit_id={unit.id}&year={year}"
        for year, unit in itertools.product(range(2000, 2100), population.units[:50])
    )
    wrong = json.dumps({"email": ADMIN, "password": "a wrong password"}).encode()
    sign_in = "/auth/v1/token?grant_type=password"
    return {
        "embeds, five deep": Attack(
            40, "GET", (f"/rest/v1/activities?select=id,{CHAPTER},{CHAPTER},{CHAPTER}{')' * 6}",)
        ),
        "embedded lists": Attack(40, "GET", ("/rest/v1/organization_units?select=name,activities(*)",)),
        "planner counts": Attack(
            40, "HEAD", ("/rest/v1/activities?select=id",), headers={"prefer": "count=planned"}
        ),
        "large bodies": Attack(10, "POST", ("/rest/v1/rpc/search_units",), TOO_LARGE),
        "reports of a century": Attack(
            40, "POST", ("/rest/v1/rpc/generate_bufdir_report",), json.dumps(report).encode()
        ),
        "savings": Attack(20, "PUT", (f"/functions/v1/metric-snapshots?{century}",)),
        "refreshes": Attack(20, "POST", ("/functions/v1/refresh-stats-views",)),
        "summaries": Attack(40, "GET", summaries),
        "wrong passwords": Attack(40, "POST", (sign_in,), wrong),
    }


@contextmanager
def running(attack: Attack, url: str, credentials: dict[str, str]) -> Iterator[dict[str, int]]:
    """Attack beside the block, from a process of its own.

    Gives the numbers of answers by status, which are there once the block has ended.
    """
    context = multiprocessing.get_context("spawn")
    done, answers, counted = context.Event(), context.Queue(), dict[str, int]()
    process = context.Process(target=_attack, args=(attack, url, credentials, done, answers), daemon=True)
    process.start()
    try:
        yield counted
    finally:
        done.set()
        counted.update(answers.get(timeout=2 * TIMEOUT_SECONDS))
        process.join()


class _Flood:
    """The threads of an attack, and what they were answered."""

    def __init__(self, attack: Attack, url: str, credentials: dict[str, str], done: Event) -> None:
        self._attack, self._address, self._done = attack, urlsplit(url).netloc, done
        self._headers = {"content-type": "application/json"} | credentials | attack.headers
        self._targets = itertools.cycle(attack.targets)
        self._answers = Counter[str]()

    def run(self) -> dict[str, int]:
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(self._attack.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return dict(self._answers)

    def _send(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        thrown_away = bytearray(2**20)  # reading must cost little: attackers bring their own processor
        while not self._done.is_set():
            try:
                connection.request(self._attack.method, next(self._targets), self._attack.body, self._headers)
                answer = connection.getresponse()
                while answer.readinto(thrown_away):
                    pass
                self._answers[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self._answers[type(error).__name__] += 1
                connection.close()
                time.sleep(0.01)  # a refused connection would come back at once
        connection.close()


def _attack(attack: Attack, url: str, credentials: dict[str, str], done: Event, answers: Any) -> None:
    answers.put(_Flood(attack, url, credentials, done).run())
