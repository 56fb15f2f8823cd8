"""Everybody who may call: each kind of caller, in two organisations."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from tests.support.credentials import make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

KINDS = (
    "anonymous",
    "stranger",
    "no profile",
    "deactivated",
    "peer mentor",
    "coordinator",
    "org admin",
    "service",
)
"""The columns of the reviewed table, in their order."""

SEEDED = {
    "nhf": {
        "peer mentor": "ola@nhf.example",
        "coordinator": "kari@nhf.example",
        "org admin": "astrid@nhf.example",
    },
    "hlf": {
        "peer mentor": "tor@hlf.example",
        "coordinator": "gunnar@hlf.example",
        "org admin": "hanne@hlf.example",
    },
}
OTHER = {"nhf": "hlf", "hlf": "nhf"}


@dataclass(frozen=True)
class Caller:
    """One who calls PostgREST.

    organization : slug of the one they belong to, or that they try to get into.
    myself       : what they know of themselves: id, name, address.
    """

    kind: str
    organization: str
    token: str = field(repr=False)
    id: uuid.UUID | None = None
    myself: str = ""
    chapters: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.kind} of {self.organization}"

    @property
    def role(self) -> str:
        """The database's role for the request."""
        return {"anonymous": "anon", "service": "service_role"}.get(self.kind, "authenticated")

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


def sign(secret: str, subject: object, **claims: Any) -> str:
    """A user's token as the auth server issues it; a claim given as None is left out."""
    return make_token(secret, **{"sub": str(subject)} | claims)


@contextmanager
def cast(stack: Stack) -> Iterator[list[Caller]]:
    """Everybody; who is not in the seed is added, and removed at the end."""
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        ids = _pairs(owner, "select slug, id from public.organizations")
        added = {name: uuid.uuid4() for name in ("stranger", *SEEDED, *(f"former {slug}" for slug in SEEDED))}
        try:
            for name, user_id in added.items():
                email = f"{name.replace(' ', '-')}@privileges.example"
                owner.execute("insert into auth.users (id, email) values (%s, %s)", (user_id, email))
            for slug, role in {"nhf": "org_admin", "hlf": "coordinator"}.items():
                owner.execute(
                    "insert into public.profiles (id, organization_id, role, display_name, is_active) "
                    "values (%s, %s, %s, %s, false)",
                    (added[f"former {slug}"], ids[slug], role, f"Once of {slug}"),
                )
            yield _callers(stack, owner, ids, added)
        finally:
            owner.execute("delete from public.profiles where id = any(%s)", (list(added.values()),))
            owner.execute("delete from auth.users where id = any(%s)", (list(added.values()),))


def _callers(
    stack: Stack, owner: psycopg.Connection, ids: dict[str, uuid.UUID], added: dict[str, uuid.UUID]
) -> list[Caller]:
    def person(kind: str, slug: str, user_id: uuid.UUID, **claims: Any) -> Caller:
        assigned = "select unit_id::text from public.chapter_assignments where profile_id = %s"
        chapters = frozenset(unit for (unit,) in owner.execute(assigned, (user_id,)))
        names = owner.execute(
            "select u.id, u.email, p.display_name from auth.users u left join public.profiles p using (id) "
            "where u.id = %s",
            (user_id,),
        ).fetchone()
        return Caller(kind, slug, sign(stack.jwt_secret, user_id, **claims), user_id, str(names), chapters)

    # A stranger may say what they like about themselves: users write their own user_metadata.
    claim = {"org_id": str(ids["nhf"])}
    callers = [
        Caller("anonymous", "nhf", stack.anon_key),
        person("stranger", "nhf", added["stranger"], user_metadata=claim, org_id=claim["org_id"]),
        Caller("service", "nhf", stack.service_role_key),
    ]
    emails = _pairs(owner, "select email, id from auth.users")
    for slug, seeded in SEEDED.items():
        member = {"app_metadata": {"org_id": str(ids[slug])}}
        callers += [
            person("no profile", slug, added[slug], **member),
            person("deactivated", slug, added[f"former {slug}"], **member),
            *(person(kind, slug, emails[email], **member) for kind, email in seeded.items()),
        ]
    return sorted(callers, key=lambda caller: KINDS.index(caller.kind))


def _pairs(owner: psycopg.Connection, query: LiteralString) -> dict[str, uuid.UUID]:
    return dict(owner.execute(query).fetchall())
