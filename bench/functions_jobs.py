"""What the functions are measured at: three jobs, each with its requests, and the ways to start them."""

from __future__ import annotations

import itertools
import json
import os
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from standardwebhooks.webhooks import Webhook

from bench.load import encode
from local.requirements import ROOT
from tools.accounts import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.load import Requests
    from local.stack import Stack

    Command = Callable[[int], list[str]]
    ToPort = Callable[[int], Requests]

FOLDER = Path(__file__).parent
PEERS = FOLDER / "peers"
DENO = PEERS / "node_modules" / "@deno" / "linux-x64-glibc" / "deno"
DEPLOYED = ROOT / ".venv-deployed"
FERSK, ALONE, PEER = "fersk", "own_server", "deno"
"""Ours on functions-framework, ours on the project's own server, and Deno's."""
FLOORS = FOLDER / "floors"
PERIOD = "period_start=2026-01-01&period_end=2027-01-01"
BODY = json.dumps(
    {
        "type": "activities_changed",
        "table": "activity_changes",
        "organization_id": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "records": [{"id": 4711, "unit_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "date": "2026-03-14"}],
        "truncated": False,
    }
).encode()


@dataclass(frozen=True)
class Job:
    """A function, and what makes requests that it answers with 200, for the port of its server."""

    name: str
    requests: ToPort


def jobs(stack: Stack) -> list[Job]:
    """Give the three jobs, on a stack in which the reports are saved that one of them looks up."""
    apps = [sign_in(stack, email) for email in people(stack)]
    signer = Webhook(stack.webhook_secret)

    def health(port: int) -> Requests:
        request = encode("GET", port, "/", {})
        return lambda: request

    def metric_snapshots(port: int) -> Requests:
        each = [encode("GET", port, f"/?{PERIOD}", app) for app in apps]
        requests = itertools.cycle(each)
        return lambda: next(requests)

    def refresh_stats_views(port: int) -> Requests:
        return lambda: encode("POST", port, "/", signed(signer), BODY)

    return [
        Job("health", health),
        Job("metric_snapshots", metric_snapshots),
        Job("refresh_stats_views", refresh_stats_views),
    ]


def people(stack: Stack) -> list[str]:
    """Save the report of every organisation, and give members of all in turn.

    Many, because a person and an organisation may only have so many requests under way.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for one in stack.sign_ins():
        members[one.email.partition("@")[2]].append(one.email)
        if one.role == "org_admin":
            url = f"{stack.functions_url}/metric-snapshots?{PERIOD}"
            httpx.put(url, headers=sign_in(stack, one.email), timeout=60, trust_env=False).raise_for_status()
    return [email for turn in zip(*members.values(), strict=False) for email in turn]


def signed(signer: Webhook) -> dict[str, str]:
    """Headers of a webhook that was never sent before."""
    message, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(message, now, BODY.decode()),
        "content-type": "application/json",
    }


def framework(target: str, source: Path = ROOT / "functions" / "main.py") -> Command:
    """Serve one function as it is deployed."""
    options = ["--source", str(source), "--target", target, "--host", "127.0.0.1", "--port"]
    return lambda port: [str(DEPLOYED / "bin" / "functions-framework"), *options, str(port)]


def alone(target: str) -> Command:
    """Serve one function without the framework."""
    options = [f"--chdir={ROOT / 'functions'}", f"FUNCTION_TARGET={target}", str(DEPLOYED / "bin" / "python")]
    return lambda port: ["env", *options, "-m", "_shared.http.server", "--bind", f"127.0.0.1:{port}"]


def deno(target: str) -> Command:
    """Serve the same job in Deno; its port is in the environment."""
    options = ["run", "--no-prompt", "--allow-net", "--allow-env", "--node-modules-dir=manual", "--no-lock"]
    return lambda _port: [str(DENO), *options, str(PEERS / f"{target}.mjs")]


def environment(stack: Stack, home: Path) -> dict[str, str]:
    """Return what both kinds of server read, and nothing of the terminal's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),  # gunicorn writes there, and Deno keeps what it compiled
        "DENO_DIR": str(home / "deno"),
        "DENO_NO_UPDATE_CHECK": "1",
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_JWT_SECRET": stack.jwt_secret,
        "FERSK_WEBHOOK_SECRET": stack.webhook_secret,
    }
