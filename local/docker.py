"""`make start STACK=docker`: Supabase's own containers, with the Python functions beside them.

Containers do not reach this machine as 127.0.0.1. They call it `host.docker.internal`: with Docker Desktop
that ends at 127.0.0.1, on plain Linux at the address of the default bridge, so the functions server listens
there too. Both ends can be set: FERSK_FUNCTIONS_BIND (addresses, comma-separated) and
FERSK_FUNCTIONS_BASE_URL (the address as containers see it).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from local import database, migrations, processes, services
from local.config import Instance, Ports, open_instance
from local.errors import StackError
from local.network import HOST
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from local.progress import Progress

STATE_DIR = ROOT / ".stack-docker"
CONTAINERS_NAME_FOR_HOST = "host.docker.internal"
DEFAULT_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class Supabase:
    """What `supabase status` tells about its containers."""

    api_url: str
    db_url: str
    publishable_key: str
    secret_key: str
    jwt_secret: str

    @classmethod
    def read(cls, *, cli: Path = migrations.CLI) -> Supabase:
        """Ask the CLI; raises StackError if it does not tell all."""
        return cls.from_status(json.loads(migrations.supabase("status", "--output", "json", cli=cli)))

    @classmethod
    def from_status(cls, values: Mapping[str, str]) -> Supabase:
        """Read the variables of `supabase status --output json`; raises StackError naming what is missing."""
        names = {
            field: field.upper()
            for field in ("api_url", "db_url", "publishable_key", "secret_key", "jwt_secret")
        }
        missing = [name for name in names.values() if not values.get(name)]
        if missing:
            raise StackError(f"`supabase status` does not tell {', '.join(missing)}")
        return cls(**{field: values[name] for field, name in names.items()})


def start(progress: Progress, console: Console) -> None:
    """Start the containers and the functions server, apply migrations and seed, hand over the secrets.

    Raises StackError if no container engine answers.
    """
    _require_engine()
    with progress.step("supabase start (the first time, it downloads images)"):
        migrations.supabase("start")
    status = Supabase.read()
    instance, _ = open_instance(STATE_DIR, Ports())
    base_url = os.environ.get("FERSK_FUNCTIONS_BASE_URL") or (
        f"http://{CONTAINERS_NAME_FOR_HOST}:{instance.ports.functions}/functions/v1"
    )
    values = {"fersk_functions_url": base_url, "fersk_webhook_secret": instance.secrets.webhook_secret}
    with progress.step("migrations and seed"):
        migrations.supabase("db", "push", "--yes")
        # Before the seed: what it writes asks for a refresh, which the database has to sign.
        database.store_secrets(status.db_url, values)
        migrations.supabase("db", "push", "--include-seed", "--yes")
    with progress.step(f"functions on {instance.ports.functions}"):
        processes.ensure(instance, _functions(instance, status))
    console.out(migrations.supabase("status"), highlight=False)
    console.out(f"Functions URL: http://{HOST}:{instance.ports.functions}/functions/v1", highlight=False)


def stop(progress: Progress) -> None:
    """Stop the functions server and the containers; their data stay."""
    if STATE_DIR.exists():
        instance, _ = open_instance(STATE_DIR, Ports())
        with progress.step("stop functions"):
            processes.stop(instance, "functions")
    _require_engine()
    with progress.step("supabase stop"):
        migrations.supabase("stop")


def reset(progress: Progress, console: Console) -> None:
    """Give the containers a new database."""
    _require_engine()
    with progress.step("supabase db reset"):
        migrations.supabase("db", "reset", "--yes")
    start(progress, console)


def _functions(instance: Instance, status: Supabase) -> processes.Program:
    """Run the same server as in the embedded stack, told about the containers instead."""
    program = services.functions(instance, _bind_addresses())
    environment = {
        **program.environment,
        "SUPABASE_URL": status.api_url,
        "SUPABASE_PUBLISHABLE_KEY": status.publishable_key,
        "SUPABASE_SECRET_KEY": status.secret_key,
        "SUPABASE_JWT_SECRET": status.jwt_secret,
        "SUPABASE_JWKS_URL": f"{status.api_url}/auth/v1/.well-known/jwks.json",
    }
    return replace(program, environment=environment)


def _bind_addresses() -> tuple[str, ...]:
    """Choose where the functions listen: this machine, and the bridge that containers reach it by."""
    wanted = os.environ.get("FERSK_FUNCTIONS_BIND")
    if wanted:
        return tuple(dict.fromkeys([HOST, *wanted.split(",")]))
    bridge = _bridge_address()
    return (HOST, bridge) if bridge and _is_local(bridge) else (HOST,)


def _bridge_address() -> str | None:
    """Ask the engine for the default bridge's address; None where there is no such network."""
    if not shutil.which("docker"):
        return None
    question = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    answer = subprocess.run(question, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def _is_local(address: str) -> bool:
    """Whether this machine has the address: with Docker Desktop, it is one of the virtual machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def _require_engine() -> None:
    """Raise StackError unless a container engine answers."""
    if shutil.which("docker"):
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        reason = f"`docker info` says: {done.stderr.strip()}"
    elif "DOCKER_HOST" in os.environ or DEFAULT_SOCKET.exists():
        return  # an engine without the docker command, such as Podman: the CLI finds out whether it answers
    else:
        reason = f"there is no `docker` command, no {DEFAULT_SOCKET}, and DOCKER_HOST is not set"
    raise StackError(
        f"no container engine answers: {reason}\n"
        "Install Docker and start it, or run `make start` without STACK=docker: that needs no containers."
    )
