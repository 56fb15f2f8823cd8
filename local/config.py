"""One instance of the stack: where it lives, which ports it uses, which secrets it holds."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import secrets
import shlex
import time
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Self

import jwt
from dotenv import dotenv_values

from local.errors import StackError
from local.network import HOST, can_bind
from local.requirements import ROOT

LEGACY_KEY_LIFETIME_SECONDS = 10 * 365 * 24 * 3600
FIRST_PORT, LAST_PORT = 1024, 65535  # below, only root may listen
# As root the clone may lie where the system user `postgres` cannot go; its data live here then.
ROOT_DATA_HOME = Path("/var/lib/fersk")


@dataclass(frozen=True)
class Ports:
    """TCP ports of one instance, all on 127.0.0.1; the defaults are those of `supabase start`."""

    gateway: int = 54321
    postgres: int = 54322
    functions: int = 54330
    rest: int = 54331
    rest_admin: int = 54332

    @classmethod
    def from_gateway(cls, gateway: int) -> Self:
        """Derive all ports from the gateway's, as far apart as the defaults are.

        Raises StackError if one of them would be no port that everybody may listen on.
        """
        distance = gateway - cls.gateway
        ports = cls(*(getattr(cls, field.name) + distance for field in fields(cls)))
        if gateway < FIRST_PORT or max(vars(ports).values()) > LAST_PORT:
            highest = LAST_PORT - (cls.rest_admin - cls.gateway)
            raise StackError(f"port {gateway} is not possible: choose one from {FIRST_PORT} to {highest}")
        return ports

    @classmethod
    def free(cls) -> Self:
        """Pick ports that nobody listens on, outside the range used for outgoing connections."""
        candidates = random.sample(range(20000, 32000), k=500)
        return cls(*islice(filter(can_bind, candidates), len(fields(cls))))


@dataclass(frozen=True)
class Secrets:
    """Generated once for an instance; never committed, never logged."""

    jwt_secret: str
    publishable_key: str
    secret_key: str
    anon_key: str
    service_role_key: str
    webhook_secret: str
    admin_password: str
    postgres_password: str
    authenticator_password: str
    auth_admin_password: str

    @classmethod
    def generate(cls) -> Self:
        """Make new ones: 32 random bytes each; the two legacy keys are JWTs signed with the JWT secret."""
        jwt_secret = secrets.token_urlsafe(48)
        return cls(
            jwt_secret,
            f"sb_publishable_{secrets.token_urlsafe(32)}",
            f"sb_secret_{secrets.token_urlsafe(32)}",
            _legacy_key("anon", jwt_secret),
            _legacy_key("service_role", jwt_secret),
            f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
            *(secrets.token_urlsafe(32) for _ in range(4)),
        )


def _legacy_key(role: str, jwt_secret: str) -> str:
    """Sign the long-lived JWT that older clients send as their API key."""
    now = int(time.time())
    claims = {"iss": "supabase", "role": role, "iat": now, "exp": now + LEGACY_KEY_LIFETIME_SECONDS}
    return jwt.encode(claims, jwt_secret, algorithm="HS256")


@dataclass(frozen=True)
class Instance:
    """Everything that tells two stacks apart; nothing outside of it is shared.

    state_dir : logs and secrets (absolute path).
    project   : folder that holds `supabase/` with configuration, migrations and seed.
    """

    state_dir: Path
    ports: Ports
    secrets: Secrets
    project: Path = ROOT

    @property
    def logs(self) -> Path:
        """Where each part writes `<name>.log`."""
        return self.state_dir / "logs"

    @cached_property
    def data(self) -> Path:
        """The cluster's data directory; on a path of its own when the server may not run as root."""
        if os.geteuid() != 0:
            return self.state_dir / "data"
        return ROOT_DATA_HOME / hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:16]

    @property
    def api_url(self) -> str:
        """The gateway: the only address that clients need."""
        return f"http://{HOST}:{self.ports.gateway}"

    def password(self, role: str) -> str:
        """Return the password of a login role."""
        return str(getattr(self.secrets, f"{role.removeprefix('supabase_')}_password"))

    def database_url(self, role: str) -> str:
        """Postgres URL of a login role, password included."""
        return f"postgresql://{role}:{self.password(role)}@{HOST}:{self.ports.postgres}/postgres"


# As Supabase calls them, and as nobody else does.
_SUPABASES = ("jwt_secret", "publishable_key", "secret_key", "anon_key", "service_role_key")
SECRET_VARIABLES = {
    field.name: f"{'SUPABASE' if field.name in _SUPABASES else 'FERSK'}_{field.name.upper()}"
    for field in fields(Secrets)
}
PORT_VARIABLES = {field.name: f"FERSK_{field.name.upper()}_PORT" for field in fields(Ports)}


def open_instance(state_dir: Path, ports: Ports | None = None, project: Path = ROOT) -> tuple[Instance, bool]:
    """Read the instance in `state_dir`, or create one.

    ports   : those wanted; None for the stored ones, or the defaults. They are stored by `save`.
    Returns : the instance, and whether its secrets are new (no database can know them yet).
    Raises StackError when what is stored is incomplete.
    """
    state_dir = state_dir.resolve()
    for directory in (state_dir, state_dir / "logs"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)  # also one that was there
    stored = _read(state_dir)
    if stored is not None:
        return Instance(state_dir, ports or _ports(stored), _secrets(state_dir, stored), project), False
    instance = Instance(state_dir, ports or Ports(), Secrets.generate(), project)
    save(instance)
    return instance, True


def private(file: Path) -> Path:
    """Make sure that a file is there, and for its owner only."""
    file.touch(mode=0o600)
    file.chmod(0o600)  # also one that was there
    return file


def stored_ports(state_dir: Path) -> Ports | None:
    """Return the ports that the instance in `state_dir` was last started with; None where there is none."""
    stored = _read(state_dir)
    return None if stored is None else _ports(stored)


def _read(state_dir: Path) -> dict[str, str] | None:
    """Return the instance's file as variables, or None if there is none; nothing is created."""
    file = state_dir / "stack.env"
    return {k: v or "" for k, v in dotenv_values(file, interpolate=False).items()} if file.exists() else None


def _ports(stored: dict[str, str]) -> Ports:
    """Read the ports; a file that was written before they were stored has the defaults."""
    chosen = {field: int(stored[name]) for field, name in PORT_VARIABLES.items() if stored.get(name)}
    return Ports(**chosen)


def _secrets(state_dir: Path, stored: dict[str, str]) -> Secrets:
    missing = [variable for variable in SECRET_VARIABLES.values() if not stored.get(variable)]
    if missing:
        file = state_dir / "stack.env"
        raise StackError(f"{file} lacks {', '.join(missing)}: remove the file to start with new secrets")
    return Secrets(**{field: stored[variable] for field, variable in SECRET_VARIABLES.items()})


def save(instance: Instance) -> None:
    """Write the file for its owner only, and at once: never half, never readable by others in between."""
    file = instance.state_dir / "stack.env"
    values = {
        "SUPABASE_URL": instance.api_url,
        "SUPABASE_DB_URL": instance.database_url("postgres"),
        **{PORT_VARIABLES[field]: str(port) for field, port in asdict(instance.ports).items()},
        **{SECRET_VARIABLES[field]: value for field, value in asdict(instance.secrets).items()},
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in values.items()]
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(
        "".join(["# Of this machine only, written by `make start`.\n", *lines]), encoding="utf-8"
    )
    draft.replace(file)
