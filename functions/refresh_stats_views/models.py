"""What `refresh-stats-views` is asked; what it answers is the database's own report."""

from __future__ import annotations

from _shared.call import Input
from _shared.rows import RefreshReport, Role

__all__ = ["MAY_REFRESH", "RefreshReport", "RefreshRequest"]

MAY_REFRESH: frozenset[Role] = frozenset({"coordinator", "org_admin"})


class RefreshRequest(Input):
    """Nothing to choose: the database knows what is pending."""
