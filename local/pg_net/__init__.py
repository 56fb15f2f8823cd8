"""Stand-in for the Postgres extension pg_net 0.20, where the extension itself cannot be had.

`install.sql` is what the database sees, `python -m local.pg_net` is the worker that sends what it queues.
"""

from __future__ import annotations

VERSION = "0.20.4"
"""The release of pg_net whose behaviour is kept; sent in the User-Agent and shown in `pg_stat_activity`."""
