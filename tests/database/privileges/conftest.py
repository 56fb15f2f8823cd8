from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from local import services
from local.config import Ports
from local.network import HOST, answers
from tests.database.privileges.cast import Caller, cast
from tests.database.privileges.catalog import Catalog
from tests.database.privileges.furniture import furnished
from tests.database.privileges.requests import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

START_SECONDS = 20


@pytest.fixture(scope="module")
def callers(stack: Stack) -> Iterator[list[Caller]]:
    with cast(stack) as everybody:
        yield everybody


@pytest.fixture(scope="module")
def catalog(stack: Stack, callers: list[Caller]) -> Iterator[Catalog]:
    with furnished(stack, callers), psycopg.connect(stack.db_url, autocommit=True) as owner:
        yield Catalog.read(owner)


@pytest.fixture(scope="module")
def api(stack: Stack, catalog: Catalog) -> Iterator[Api]:
    """The stack's PostgREST once more, which ends every transaction with a rollback."""
    with rolling_back(stack) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        headers = {"authorization": f"Bearer {stack.service_role_key}"}
        made = http.post("/organizations", headers=headers, json={"slug": "not-kept", "name": "Not kept"})
        kept = http.get("/organizations?slug=eq.not-kept", headers=headers)
        assert (made.status_code, kept.json()) == (201, []), "the cases would change what other tests read"
        yield Api(http, catalog)


@contextmanager
def rolling_back(stack: Stack) -> Iterator[str]:
    program, ports = services.rest(stack.instance), Ports.free()
    environment = {
        **program.environment,
        **settings_in_database(stack),
        "PGRST_DB_CONFIG": "false",  # settings in the database would come first
        "PGRST_DB_TX_END": "rollback",
        "PGRST_DB_POOL": "4",
        "PGRST_SERVER_PORT": str(ports.rest),
        "PGRST_ADMIN_SERVER_PORT": str(ports.rest_admin),
    }
    process = subprocess.Popen(
        program.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"http://{HOST}:{ports.rest_admin}/ready"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://{HOST}:{ports.rest}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def settings_in_database(stack: Stack) -> dict[str, str]:
    """What the role in the database says of PostgREST's settings, as environment."""
    query = """
        select c from pg_catalog.pg_db_role_setting s cross join unnest(s.setconfig) c
        where s.setrole = 'authenticator'::regrole and c like 'pgrst.%'
    """
    with psycopg.connect(stack.db_url) as owner:
        pairs = (setting.removeprefix("pgrst.").partition("=") for (setting,) in owner.execute(query))
        return {f"PGRST_{name.upper()}": value for name, _, value in pairs}
