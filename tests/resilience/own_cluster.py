"""A database cluster of a test's own: it may be crashed, damaged and dumped without disturbing anybody."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from local import cluster, database, migrations
from local.config import Instance, Ports, open_instance
from local.requirements import ROOT
from local.stack import Stack
from tests.support.claims import claimed

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class OwnCluster:
    """A running server without the rest of the stack: nobody refreshes, sweeps or sends but the test."""

    instance: Instance

    @property
    def url(self) -> str:
        """As postgres, who owns the statistics and is no superuser."""
        return self.instance.database_url("postgres")

    @property
    def admin_url(self) -> str:
        """As supabase_admin, the superuser."""
        return self.instance.database_url("supabase_admin")

    def connect(self, *, admin: bool = False) -> Connection:
        """Open a connection in autocommit, as postgres or as the superuser."""
        return psycopg.connect(self.admin_url if admin else self.url, autocommit=True)

    def crash(self) -> None:
        """Stop as a power failure does: no checkpoint, recovery at the next start."""
        cluster.stop(self.instance, immediate=True)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        cluster.start(self.instance)


@contextmanager
def empty_cluster(purpose: str) -> Iterator[OwnCluster]:
    """Give a new server with nothing in it; it is removed at the end.

    Its directory is named and marked as `tests/conftest.py` expects, which clears up after killed runs.
    """
    state_dir = ROOT / f".stack-test-{purpose}-{os.getpid()}"
    with claimed(state_dir):
        try:
            instance, _ = open_instance(state_dir, Ports.free())
            cluster.create(instance)
            cluster.start(instance)
            yield OwnCluster(instance)
        finally:
            Stack(state_dir).destroy()


@contextmanager
def own_cluster(purpose: str) -> Iterator[OwnCluster]:
    """Give a new server with migrations and seed, whose schedules are off and whose webhooks go nowhere."""
    with empty_cluster(purpose) as own:
        instance = own.instance
        database.install_platform(instance)
        migrations.up(own.url, include_seed=True)
        nowhere = f"http://127.0.0.1:{instance.ports.functions}"
        database.store_secrets(
            own.url,
            {"fersk_functions_url": nowhere, "fersk_webhook_secret": instance.secrets.webhook_secret},
        )
        with own.connect() as connection:
            connection.execute("select cron.unschedule(jobid) from cron.job")
        yield own
