"""The entry points that Functions Framework and Cloud Run deploy, by name: one line each."""

from __future__ import annotations

from _shared import logs
from _shared.settings import settings
from health.endpoint import health
from refresh_stats_views.endpoint import refresh_stats_views

__all__ = ["health", "refresh_stats_views"]

# A missing variable stops the process here, not the first request.
logs.configure(settings().log_level)
