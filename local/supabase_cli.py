"""`make start STACK=docker` or `STACK=native`: Supabase's own stack, with the Python functions beside it.

Containers do not reach this machine as 127.0.0.1. They call it `host.docker.internal`: with Docker Desktop
that ends at 127.0.0.1, on plain Linux at the address of the default bridge, so the functions server listens
there too. Both ends can be set: FERSK_FUNCTIONS_BIND (addresses, comma-separated) and
FERSK_FUNCTIONS_BASE_URL (the address as Supabase's parts see it). The native runtime is an experiment of the
CLI's, which downloads the parts and runs them as processes.
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

DEFAULT_SOCKET = Path("/var/run/docker.sock")
RUNTIMES = ("docker", "native")
NEEDED = ("API_URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY")


@dataclass(frozen=True)
class Supabase:
    """Supabase's own stack, as its CLI runs it in one of RUNTIMES."""

    runtime: str
    cli: Path = migrations.CLI

    def start(self, progress: Progress, console: Console) -> None:
        """Start Supabase and the functions server, apply migrations and seed, hand over the secrets."""
        options = ["--runtime", "native", "--eager"] if self.runtime == "native" else []
        with progress.step("supabase start (the first time, it downloads its parts)"):
            self.run("start", *options)
        values, instance = self.status(), self._instance()
        base_url = os.environ.get("FERSK_FUNCTIONS_BASE_URL") or (
            f"http://{self._name_of_this_machine()}:{instance.ports.functions}/functions/v1"
        )
        secrets = {"fersk_functions_url": base_url, "fersk_webhook_secret": instance.secrets.webhook_secret}
        with progress.step("migrations and seed"):
            self.run("db", "push", "--yes")
            # Before the seed: what it writes asks for a refresh, which the database has to sign.
            database.store_secrets(values["DB_URL"], secrets)
            self.run("db", "push", "--include-seed", "--yes")
        with progress.step(f"functions on {instance.ports.functions}"):
            processes.ensure(instance, self._functions(instance, values))
        console.out(self.run("status"), highlight=False)
        console.out(f"Functions URL: http://{HOST}:{instance.ports.functions}/functions/v1", highlight=False)

    def stop(self, progress: Progress) -> None:
        """Stop the functions server and Supabase; its data stay."""
        if self._state_dir.exists():
            with progress.step("stop functions"):
                processes.stop(self._instance(), "functions")
        with progress.step("supabase stop"):
            self.run("stop")

    def reset(self, progress: Progress, console: Console) -> None:
        """Give Supabase a new database."""
        with progress.step("supabase db reset"):
            self.run("db", "reset", "--yes")
        self.start(progress, console)

    def run(self, *arguments: str) -> str:
        """Run the CLI, and give its answer; raises StackError with its words if it fails."""
        if self.runtime == "docker":
            _require_engine()
            return migrations.supabase(*arguments, cli=self.cli)
        return migrations.supabase(*arguments, cli=self.cli, SUPABASE_EXPERIMENTAL_STACK="1")

    def status(self) -> dict[str, str]:
        """Ask the CLI for addresses and keys; raises StackError naming what it does not tell."""
        if self.runtime == "docker":
            values: dict[str, str] = json.loads(self.run("status", "--output", "json"))
        else:
            pairs = (line.partition("=") for line in self.run("status", "--env").splitlines())
            values = {name.removeprefix("export "): value.strip("\"'") for name, _, value in pairs}
        missing = [name for name in NEEDED if not values.get(name)]
        if missing:
            raise StackError(f"`supabase status` does not tell {', '.join(missing)}")
        return values

    @property
    def _state_dir(self) -> Path:
        return ROOT / f".stack-{self.runtime}"

    def _instance(self) -> Instance:
        return open_instance(self._state_dir, Ports())[0]

    def _name_of_this_machine(self) -> str:
        return "host.docker.internal" if self.runtime == "docker" else HOST

    def _functions(self, instance: Instance, values: Mapping[str, str]) -> processes.Program:
        """Run the same server as in the embedded stack, told about Supabase's instead."""
        program = services.functions(instance, _bind_addresses() if self.runtime == "docker" else (HOST,))
        environment = {
            **program.environment,
            "SUPABASE_URL": values["API_URL"],
            "SUPABASE_PUBLISHABLE_KEY": values["PUBLISHABLE_KEY"],
            "SUPABASE_SECRET_KEY": values["SECRET_KEY"],
            "SUPABASE_JWT_SECRET": values.get("JWT_SECRET", ""),
            "SUPABASE_JWKS_URL": f"{values['API_URL']}/auth/v1/.well-known/jwks.json",
        }
        return replace(program, environment={k: v for k, v in environment.items() if v})


def _bind_addresses() -> tuple[str, ...]:
    """Choose where the functions listen: this machine, and the bridge that containers reach it by."""
    wanted = os.environ.get("FERSK_FUNCTIONS_BIND") or _bridge_address() or HOST
    return tuple(dict.fromkeys([HOST, *wanted.split(",")]))


def _bridge_address() -> str | None:
    """Ask the engine for the default bridge's address; None where this machine does not have it."""
    if not shutil.which("docker"):
        return None
    question = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    address = subprocess.run(question, capture_output=True, text=True, check=False).stdout.strip()
    with socket.socket() as probe:  # with Docker Desktop, the address is one of the virtual machine's
        try:
            probe.bind((address, 0))
        except OSError:
            return None
        return address or None


def _require_engine() -> None:
    """Raise StackError unless a container engine answers."""
    if shutil.which("docker"):
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
        reason = f"`docker info` says: {done.stderr.strip()}" if done.returncode else ""
    elif "DOCKER_HOST" in os.environ or DEFAULT_SOCKET.exists():
        reason = ""  # an engine without the docker command, such as Podman: the CLI finds out
    else:
        reason = f"there is no `docker` command, no {DEFAULT_SOCKET}, and DOCKER_HOST is not set"
    if reason:
        raise StackError(
            f"no container engine answers: {reason}\n"
            "Install Docker and start it, or run `make start` without STACK=docker: that needs no containers."
        )
