"""Write supabase/schema.sql anew: what all migrations together make, dumped from a cluster of its own.

A change of a migration thus shows as a change of the schema. PostgreSQL 16 and newer write views in another
way than 15, so the file names the version that wrote it, and a test compares it with that one alone.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from local import cluster, migrations, postgres
from local.requirements import ROOT
from tools.scratch import scratch

if TYPE_CHECKING:
    from local.config import Instance

FILE = ROOT / "supabase" / "schema.sql"
HEADER = "-- What the migrations make, as PostgreSQL {} writes it. Generated: make schema"
# What depends on the program and not on the schema: versions, settings, random keys, headings.
NOISE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict ")


def dump(instance: Instance) -> str:
    """Return the schemas of a running database that are ours, as they stand in supabase/schema.sql."""
    url, password = migrations.without_password(instance.database_url("supabase_admin"))
    schemas = [f"--schema={name}" for name in ("app", "private", "public", "stats")]
    text = subprocess.run(
        [postgres.program("pg_dump"), "--schema-only", "--no-owner", *schemas, url],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [HEADER.format(cluster.major_version(instance))]
    lines += [line for line in text.splitlines() if not NOISE.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def version_of(text: str) -> int:
    """Return the PostgreSQL version that a schema file names."""
    found = re.match(HEADER.format(r"(\d+)"), text)
    return int(found[1]) if found else 0


def main() -> None:
    """Make a cluster, migrate it, write the file."""
    with scratch() as instance:
        migrations.up(instance.database_url("postgres"))
        FILE.write_text(dump(instance), encoding="utf-8")


if __name__ == "__main__":
    main()
