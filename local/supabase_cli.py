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
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local import database, migrations, processes, services
from local.config import Instance, open_instance
from local.errors import StackError
from local.network import HOST
from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from local.progress import Progress

RUNTIMES = ("docker", "native")
DOCKER_BRIDGE = "172.17.0.1"
NEEDED = ("API_URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY")


@dataclass(frozen=True)
class Supabase:
    """Supabase's own stack, as its CLI runs it in one of RUNTIMES. All raise StackError with its words."""

    runtime: str
    cli: Path = migrations.CLI

    def start(self, progress: Progress, console: Console) -> None:
        """Start Supabase and the functions server, apply migrations and seed, hand over the secrets."""
        options = ["--runtime", "native", "--eager"] if self.runtime == "native" else []
        with progress.step("supabase start (the first time, it downloads its parts)"):
            self.run("start", *options)
        values, instance = self.status(), self._instance()
        this_machine = "host.docker.internal" if self.runtime == "docker" else HOST
        functions_url = f"http://{this_machine}:{instance.ports.functions}/functions/v1"
        secrets = {
            "fersk_functions_url": os.environ.get("FERSK_FUNCTIONS_BASE_URL") or functions_url,
            "fersk_webhook_secret": instance.secrets.webhook_secret,
        }
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
        """Run the CLI on this project and give its answer."""
        experiment = {"SUPABASE_EXPERIMENTAL_STACK": "1"} if self.runtime == "native" else {}
        return migrations.supabase(*arguments, cli=self.cli, environment=experiment)

    def status(self) -> dict[str, str]:
        """Ask for addresses and keys; the error names what the CLI does not tell."""
        if self.runtime == "docker":
            values: dict[str, str] = json.loads(self.run("status", "--output", "json"))
        else:
            pairs = (line.partition("=") for line in self.run("status", "--env").splitlines())
            values = {name.removeprefix("export "): value.strip("\"'") for name, _, value in pairs}
        missing = [name for name in NEEDED if not values.get(name)]
        if missing:
            raise StackError(f"`supabase status` does not tell {', '.join(missing)}")
        return values

    def _instance(self) -> Instance:
        return open_instance(ROOT / f".stack-{self.runtime}")[0]

    def _functions(self, instance: Instance, values: dict[str, str]) -> processes.Program:
        """Run the same server as in the embedded stack, told about Supabase's instead."""
        wanted = os.environ.get("FERSK_FUNCTIONS_BIND")
        others = wanted.split(",") if wanted else [DOCKER_BRIDGE] if _is_ours(DOCKER_BRIDGE) else []
        program = services.functions(instance, tuple(dict.fromkeys([HOST, *others])))
        environment = {
            **program.environment,
            "SUPABASE_URL": values["API_URL"],
            "SUPABASE_PUBLISHABLE_KEY": values["PUBLISHABLE_KEY"],
            "SUPABASE_SECRET_KEY": values["SECRET_KEY"],
            "SUPABASE_JWT_SECRET": values.get("JWT_SECRET", ""),
            "SUPABASE_JWKS_URL": f"{values['API_URL']}/auth/v1/.well-known/jwks.json",
        }
        return replace(program, environment={name: value for name, value in environment.items() if value})


def _is_ours(address: str) -> bool:
    """Whether this machine has the address: with Docker Desktop, it is one of the virtual machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True
