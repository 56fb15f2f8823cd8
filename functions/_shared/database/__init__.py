"""The database as the functions see it: one method per SQL function, in one file per subject."""

from __future__ import annotations

from _shared.database.access import Access
from _shared.database.hierarchy import Hierarchy
from _shared.database.report_versions import ReportVersions
from _shared.database.reports import Reports
from _shared.database.snapshots import Snapshots
from _shared.database.statistics import Statistics


class Database(Access, Statistics, Hierarchy, Reports, ReportVersions, Snapshots):
    """Every method answers Err with `upstream_unavailable` (safe to retry), `upstream_timeout` or `internal`;
    those that act for a user also with `unauthorized`, `forbidden`, `bad_request` or `feature_disabled`.
    """  # noqa: D205
