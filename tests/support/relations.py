"""What the API offers to read, in groups that several tests go through."""

from __future__ import annotations

STATISTICS = (
    "coordinator_monthly_stats",
    "peer_mentor_stats",
    "chapter_stats",
    "activity_time_series",
    "mv_peer_mentor_stats",
    "mv_chapter_stats",
    "mv_activity_time_series",
    "stats_freshness",
)
