"""What `verify-snapshot` is asked and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from _shared.differences import Difference  # noqa: TC001 - pydantic reads it
from _shared.periods import Period

if TYPE_CHECKING:
    from _shared.rows import Role

__all__ = ["MAY_VERIFY", "Period", "Verification"]

MAY_VERIFY: frozenset[Role] = frozenset({"coordinator", "org_admin"})


class Verification(BaseModel):
    """A saved snapshot against the registered activities of now.

    computed_at     : when the saved figures were computed.
    mapping_version : with which both were computed.
    discrepancies   : `expected_value` is what the activities give, `actual_value` what was saved.
    """

    model_config = ConfigDict(frozen=True)

    matches: bool
    computed_at: AwareDatetime
    mapping_version: int
    discrepancies: list[Difference]
