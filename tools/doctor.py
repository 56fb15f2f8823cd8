"""`make doctor`: looks a project over, and says of each finding what to do.

It asks over the API alone, with the secret key: the local stack, or a hosted project with `URL=… KEY=…`.
With `DB=…` as well (locally always) it runs the platform's advisors. The exit status is 1 where anything is
found, so that monitoring can call it. Docs: docs/howto/runbook.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
from rich.table import Table

from local import command, migrations
from local.errors import StackError
from local.requirements import ROOT
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PRIVILEGES = ROOT / "docs" / "reference" / "privileges.md"
EXTENSIONS = ("pg_cron", "pgcrypto")  # pg_net is among what the platform lacks, where it does
CLOCK_SECONDS = 30.0  # a webhook may be five minutes off, a token none
AUDIT_HOURS = 26.0
ROLES = {"anon": slice(0, 1), "authenticated": slice(1, 7), "service_role": slice(7, 8)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it should be, and what to do."""

    check: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Project:
    """Where to ask, and with which key; `db_url` is None where only the API can be reached."""

    url: str
    key: str
    db_url: str | None = None


Open = set[tuple[str, str, str]]
"""Object, role and verb of what is granted."""


def reviewed() -> Open:
    """Give what the reviewed table says that a role may at least ask for."""
    found: Open = set()
    for line in PRIVILEGES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) != 10 or not line.startswith("| `"):
            continue
        name, verbs, *outcomes = cells
        for role, places in ROLES.items():
            if any(outcome != "closed" for outcome in outcomes[places]):
                found |= {(name, role, verb) for verb in verbs.split() if verb != "HEAD"}
    # a function is granted as a whole
    return {each for each in found if not (each[0].startswith("rpc/") and each[2] == "GET")}


def grants(said: Sequence[dict[str, str]]) -> Iterator[Finding]:
    """Compare what is granted with the reviewed table."""
    found: Open = {(each["name"], each["role"], each["verb"]) for each in said}
    for name, role, verb in sorted(found - reviewed()):
        yield Finding(
            "grants",
            f"{role} may {verb} {name}, which nobody reviewed",
            f"revoke it, or review it in {PRIVILEGES.relative_to(ROOT)}",
        )
    for name, role, verb in sorted(reviewed() - found):
        yield Finding("grants", f"{role} may not {verb} {name}", "apply the migrations: docs/howto/deploy.md")


def reasons(health: dict[str, Any]) -> Iterator[Finding]:
    """Tell what health says is not well."""
    for reason in health["reasons"]:
        yield Finding(
            "health", f"{reason['code']} since {reason['since'] or 'an unknown time'}", reason["remedy"]
        )


def versions(health: dict[str, Any]) -> Iterator[Finding]:
    """Compare the newest migration and the extensions with what is here."""
    here = max(path.name.partition("_")[0] for path in (ROOT / "supabase" / "migrations").glob("*.sql"))
    there = health["versions"]["migration"]
    if there != here:
        yield Finding(
            "versions",
            f"the newest migration is {there}, here it is {here}",
            "npx supabase db push --remote, or check out what is deployed",
        )
    for name in EXTENSIONS:
        if name not in health["versions"]["extensions"]:
            yield Finding(
                "extensions", f"{name} is not installed", "apply the migrations: docs/howto/deploy.md"
            )


def audit(audited_at: str | None, now: datetime) -> Iterator[Finding]:
    """Whether all was audited of late; a project without a night behind it was not yet."""
    if audited_at and (now - datetime.fromisoformat(audited_at)).total_seconds() > AUDIT_HOURS * 3600:
        yield Finding(
            "audit",
            f"everything was last audited at {audited_at}",
            "select stats.heal(); and see whether the schedules run",
        )


def clock(name: str, there: datetime, here: datetime) -> Iterator[Finding]:
    """Whether two clocks agree."""
    seconds = (there - here).total_seconds()
    if abs(seconds) > CLOCK_SECONDS:
        yield Finding(
            "clock",
            f"the clock of {name} is {seconds:+.0f} s off from this machine's",
            "set the clocks by NTP: signatures and tokens depend on them",
        )


def functions(http: httpx.Client) -> Iterator[Finding]:
    """Whether the functions answer, and by which clock."""
    try:
        answer = http.get("/functions/v1/health")
    except httpx.HTTPError as error:
        yield Finding(
            "functions", f"no answer: {type(error).__name__}", "start them; their log says why they ended"
        )
        return
    if answer.status_code != 200:
        yield Finding("functions", f"health answers {answer.status_code}", "their log says why")
    if "date" in answer.headers:
        yield from clock("the functions", parsedate_to_datetime(answer.headers["date"]), datetime.now(UTC))


def advisors(db_url: str) -> Iterator[Finding]:
    """Tell what the platform's own linters warn of."""
    arguments = ("db", "advisors", "--level", "warn", "--output-format", "json")
    printed = migrations.supabase(*arguments, database_url=db_url)
    (line,) = (line for line in printed.splitlines() if line.startswith("{"))
    for each in json.loads(line)["results"]:
        yield Finding("advisors", f"{each['name']}: {each['detail']}", each.get("remediation", each["name"]))


def examine(project: Project) -> tuple[list[Finding], dict[str, Any]]:
    """Look everything over. Gives what was found, and the versions.

    Raises StackError where the API cannot be asked at all.
    """
    with httpx.Client(base_url=project.url.rstrip("/"), timeout=30, trust_env=False) as http:
        sent = time.time()
        try:
            answer = http.post("/rest/v1/rpc/diagnose", json={}, headers={"apikey": project.key})
        except httpx.HTTPError as error:
            raise StackError(f"{project.url} does not answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise StackError(
                f"{project.url} answers {answer.status_code} to rpc/diagnose: is KEY the secret key, "
                "and are the migrations applied?"
            )
        said = answer.json()
        now = datetime.fromisoformat(said["now"])
        here = datetime.fromtimestamp((sent + time.time()) / 2, UTC)
        found = [
            *functions(http),
            *reasons(said["health"]),
            *(Finding("platform", each["problem"], each["remedy"]) for each in said["problems"]),
            *grants(said["open_requests"]),
            *audit(said["audited_at"], now),
            *versions(said["health"]),
            *clock("the database", now, here),
            *(advisors(project.db_url) if project.db_url else ()),
        ]
    return found, said["health"]["versions"]


def show(found: Sequence[Finding], versions: dict[str, Any]) -> None:
    """Print what was found."""
    console = command.tables()
    extensions = ", ".join(f"{name} {version}" for name, version in sorted(versions["extensions"].items()))
    console.print(
        f"Postgres {re.split(' ', versions['postgres'])[0]}, {extensions}, migration {versions['migration']}",
        highlight=False,
    )
    if not found:
        console.print("[green]nothing to do[/green]")
        return
    table = Table("check", "found", "what to do")
    for finding in found:
        table.add_row(finding.check, finding.what, finding.remedy)
    console.print(table)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 1 where anything is found, or nothing can be asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.doctor", description=__doc__)
    parser.add_argument("--url", default="", help="of the project (default: the local stack)")
    parser.add_argument("--key", default=os.environ.get("SUPABASE_SECRET_KEY", ""), help="its secret key")
    parser.add_argument("--db", default="", help="Postgres URL of role postgres: runs the advisors, too")
    arguments = parser.parse_args(words)
    return command.run(lambda: _run(arguments.url, arguments.key, arguments.db or None))


def _run(url: str, key: str, db_url: str | None) -> int:
    if url:
        project = Project(url, key, db_url)
    else:
        stack = Stack.running()
        project = Project(stack.api_url, stack.secret_key, stack.db_url)
    found, versions = examine(project)
    show(found, versions)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
