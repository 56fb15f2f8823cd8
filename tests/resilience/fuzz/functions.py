"""Calls the functions with whatever `functions/openapi.json` allows and does not, as each kind of caller.

schemathesis makes the requests and checks every answer: no 5xx, no status, type, header or shape that the
description does not have, wrong input refused, right input accepted, no way around credentials.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg

from local.requirements import ROOT
from tests.support.people import sign_in

if TYPE_CHECKING:
    from local.stack import Stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
PEOPLE = {
    "org admin": "astrid@nhf.example",
    "coordinator": "kari@nhf.example",
    "peer mentor": "ola@nhf.example",
}
WEBHOOK, SERVICE, NOBODY = "webhook", "secret key", "nobody"
PHASES = "examples,coverage,fuzzing"
CALLERS = (*PEOPLE, SERVICE, WEBHOOK, NOBODY)


@dataclass(frozen=True)
class Outcome:
    """What became of the calls of one kind of caller; `printed` is for who looks into a finding."""

    caller: str
    cases: int
    findings: int
    printed: str


def real_values(stack: Stack) -> dict[str, str]:
    """Give a unit and a saved, signed report that exist, so that calls get further than 404."""
    headers = sign_in(stack, PEOPLE["coordinator"]).headers
    period = {"period_start": "2026-01-01", "period_end": "2026-02-01"}
    with httpx.Client(base_url=stack.functions_url, headers=headers, timeout=30, trust_env=False) as http:
        http.put("/metric-snapshots", params=period).raise_for_status()
        answer = http.post("/bufdir-reports", params=period | {"step": "prepare"}).raise_for_status()
    with psycopg.connect(stack.db_url) as owner:
        unit = owner.execute(
            "select u.id::text from public.organization_units u join public.organizations o "
            "on o.id = u.organization_id where o.slug = 'nhf' and u.kind = 'region' order by u.id limit 1"
        ).fetchone()
    assert unit is not None
    version = answer.json()["data"]["id"]
    return {"unit_id": unit[0], "version": version, "against": version, **period}


def call(
    stack: Stack, caller: str, examples: int, seed: int, real: dict[str, str], *, phases: str = PHASES
) -> Outcome:
    """Call every function as that caller, with at most so many made-up inputs for each operation."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FUZZ_REAL": json.dumps(real)}
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", str(ROOT / "functions" / "openapi.json"), "--url", stack.functions_url),
        *("--max-examples", str(examples), "--seed", str(seed), "--no-color"),
        *("--generation-database", "none", "--phases", phases),
    ]
    headers: dict[str, str] = {}
    if caller in PEOPLE:
        headers = {"Authorization": f"Bearer {sign_in(stack, PEOPLE[caller]).access_token}"}
    elif caller == SERVICE:
        headers = {"apikey": stack.secret_key}
        # The key stays with each call. So one without a person's token gets 403, not 401, and one with a
        # made-up credential beside the key is answered.
        command += ["--exclude-checks", "missing_required_header,ignored_auth"]
    elif caller == WEBHOOK:
        environment["FUZZ_WEBHOOK_SECRET"] = stack.webhook_secret
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    report = stack.instance.state_dir / f"fuzz-{caller.replace(' ', '-')}.json"
    command += ["--report", "json", "--report-json-path", str(report)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if not report.exists():
        raise RuntimeError(f"schemathesis did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    said = json.loads(report.read_text(encoding="utf-8"))
    findings = said["test_cases"]["unique_failures"] + len(said["errors"])
    return Outcome(caller, said["test_cases"]["generated"], findings, done.stdout)
