"""A database of its own for the stand-in, beside that of the stack: nothing else queues requests there."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.stack.pg_net.receiver import Receiver
from tests.stack.pg_net.support import INSTALL_SQL, Connection, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack


@pytest.fixture(scope="module")
def admin_url(stack: Stack) -> Iterator[str]:
    """The URL of a new database in the stack's cluster, with the stand-in installed, as supabase_admin."""
    name = f"pg_net_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(stack.admin_db_url, autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = make_conninfo(stack.admin_db_url, dbname=name)
    with psycopg.connect(url) as connection:
        connection.execute(INSTALL_SQL)
    yield url
    with psycopg.connect(stack.admin_db_url, autocommit=True) as server:
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def url(stack: Stack, admin_url: str) -> str:
    """The same as postgres, which is what migrations and their triggers are."""
    name = psycopg.conninfo.conninfo_to_dict(admin_url)["dbname"]
    return make_conninfo(stack.db_url, dbname=str(name))


@pytest.fixture
def admin(admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def worker(admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """The worker of the database, for all tests of a module that only need it to run."""
    with WorkerProcess(admin_url, tmp_path_factory.mktemp("pg_net") / "worker.log") as process:
        process.wait_for_event("worker_started")
        yield process


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"
