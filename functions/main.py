"""The entry points that Functions Framework and Cloud Run deploy, by name: one line each."""

from __future__ import annotations

import logging

from _shared import logs
from _shared.settings import settings
from bufdir_alignment.endpoint import bufdir_alignment
from health.endpoint import health
from hierarchy_stats.endpoint import hierarchy_stats
from invalidate_hierarchy_cache.endpoint import invalidate_hierarchy_cache
from metric_snapshots.endpoint import metric_snapshots
from refresh_stats_views.endpoint import refresh_stats_views
from snapshot_status.endpoint import snapshot_status
from verify_snapshot.endpoint import verify_snapshot
from warm_hierarchy_cache.endpoint import warm_hierarchy_cache

__all__ = [
    "bufdir_alignment",
    "health",
    "hierarchy_stats",
    "invalidate_hierarchy_cache",
    "metric_snapshots",
    "refresh_stats_views",
    "snapshot_status",
    "verify_snapshot",
    "warm_hierarchy_cache",
]

# A missing variable stops the process here, not the first request.
logs.configure(settings().log_level)
# Two verifiers are right while a project changes over to public keys; afterwards the old secret must go.
logs.log(
    logging.WARNING if len(settings().verifiers) > 1 else logging.INFO,
    "started",
    verifiers=settings().verifiers,
)
