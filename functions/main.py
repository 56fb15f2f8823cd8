"""The entry points that Functions Framework and Cloud Run deploy, by name: one line each."""

from __future__ import annotations

from _shared import logs
from _shared.settings import settings
from health.endpoint import health
from hierarchy_stats.endpoint import hierarchy_stats
from invalidate_hierarchy_cache.endpoint import invalidate_hierarchy_cache
from refresh_stats_views.endpoint import refresh_stats_views
from warm_hierarchy_cache.endpoint import warm_hierarchy_cache

__all__ = [
    "health",
    "hierarchy_stats",
    "invalidate_hierarchy_cache",
    "refresh_stats_views",
    "warm_hierarchy_cache",
]

# A missing variable stops the process here, not the first request.
logs.configure(settings().log_level)
