"""Who may call a function. Endpoints list the kinds they accept; use cases match on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Anyone; credentials are not looked at."""


@dataclass(frozen=True, slots=True)
class Service:
    """A schedule, or another trusted program that holds the secret key."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The database, through a signed call. `id` is the same for every delivery of one message."""

    id: str


@dataclass(frozen=True, slots=True)
class User:
    """A signed-in person, with the token that lets the database apply its row-level security.

    organization_id : the one that the token names; None where it names none. The database decides.
    """

    id: UUID
    token: SecretStr
    organization_id: UUID | None = None


Caller: TypeAlias = Anonymous | Service | Webhook | User
