"""A Postgres of its own for measurements: the stack's cluster and migrations, nothing else running in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from local import cluster, database, migrations
from local.config import Ports, open_instance
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.config import Instance
    from local.progress import Progress

STATE_DIR = ROOT / ".stack-bench"
# Differences to the stack's cluster. Without pg_cron nothing runs unasked, and nobody is connected to the
# migrated database, so that it can be copied.
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,plpgsql_check",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",  # no checkpoint falls into one variant's turn by chance
    "checkpoint_timeout": "1h",
    "autovacuum": "off",  # the same reason; tables are vacuumed between measurements
    "maintenance_work_mem": "512MB",
}


class Laboratory:
    """Databases to measure in, each a copy of another."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.port = instance.ports.postgres
        self.password = instance.password("postgres")

    def url(self, name: str, *, admin: bool = False) -> str:
        """Return the URL of a database, for role postgres or (admin) the superuser."""
        base = self._instance.database_url("supabase_admin" if admin else "postgres")
        return f"{base.rpartition('/')[0]}/{name}"

    def copy(self, name: str, template: str = "postgres") -> str:
        """Create a database as a copy of another that nobody is connected to. Returns its URL."""
        self.drop(name)
        with psycopg.connect(self.url("template1", admin=True), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {} owner supabase_admin").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
            # these belong to the database, not to what is in it: a copy has them not
            connection.execute(
                sql.SQL("grant all on database {} to postgres with grant option").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL('alter database {} set search_path = "$user", public, extensions').format(
                    sql.Identifier(name)
                )
            )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url("template1", admin=True), autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


@contextmanager
def laboratory(progress: Progress, state_dir: Path = STATE_DIR) -> Iterator[Laboratory]:
    """Start a new cluster with migrations and seed; stop and remove it at the end, whatever happened."""
    instance, _ = open_instance(state_dir, Ports.free())
    try:
        with progress.step("a cluster for the measurements, with migrations and seed"):
            cluster.create(instance)
            cluster.start(instance)
            database.install_platform(instance)
            migrations.up(instance.database_url("postgres"))
            _store_secrets(instance)
            migrations.up(instance.database_url("postgres"), include_seed=True)
            _apply_settings(instance)
        yield Laboratory(instance)
    finally:
        cluster.destroy(instance)
        shutil.rmtree(state_dir)


def _store_secrets(instance: Instance) -> None:
    """Let the webhooks of the write path be signed and queued as in operation; nothing here sends them."""
    values = {
        "fersk_functions_url": f"{instance.api_url}/functions/v1",
        "fersk_webhook_secret": instance.secrets.webhook_secret,
    }
    database.store_secrets(instance.database_url("postgres"), values)


def _apply_settings(instance: Instance) -> None:
    with psycopg.connect(instance.database_url("supabase_admin"), autocommit=True) as connection:
        for name, value in SETTINGS.items():
            values = value.split(",") if name.endswith("_libraries") else [value]
            connection.execute(
                sql.SQL("alter system set {} = {}").format(
                    sql.Identifier(name), sql.SQL(", ").join(sql.Literal(part) for part in values)
                )
            )
    cluster.stop(instance)
    cluster.start(instance)
