"""What `health` answers."""

from __future__ import annotations

from typing import Literal

from _shared.rows import DatabaseHealth


class HealthReport(DatabaseHealth):
    """Ready to work. A function that cannot reach its database answers an error instead."""

    status: Literal["ready"] = "ready"
    database: Literal["reachable"] = "reachable"
