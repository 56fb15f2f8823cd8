"""The worker's configuration, from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CONCURRENCY = 200


@dataclass(frozen=True, slots=True)
class Config:
    """What pg_net reads from its server settings.

    database_url : of a superuser (FERSK_PG_NET_DB_URL); contains a password.
    batch_size   : requests taken at a time, at least 1 (FERSK_PG_NET_BATCH_SIZE; pg_net.batch_size).
    ttl          : how long answers are kept, as a Postgres interval (FERSK_PG_NET_TTL; pg_net.ttl).
    """

    database_url: str = field(repr=False)
    batch_size: int = 200
    ttl: str = "6 hours"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise `ValueError`, naming the variable, if one is missing or not what it should be."""
        database_url = environment.get("FERSK_PG_NET_DB_URL", "")
        if not database_url:
            raise ValueError("FERSK_PG_NET_DB_URL is not set")
        batch_size = environment.get("FERSK_PG_NET_BATCH_SIZE", "200")
        if not batch_size.isdecimal() or int(batch_size) < 1:
            raise ValueError(f"FERSK_PG_NET_BATCH_SIZE must be a whole number from 1, not {batch_size!r}")
        return cls(database_url, int(batch_size), environment.get("FERSK_PG_NET_TTL", "6 hours"))

    @property
    def concurrency(self) -> int:
        """Requests on their way at a time."""
        return min(self.batch_size, MAX_CONCURRENCY)
