"""`make deploy-check ENV=deploy.env`: whether a project and its functions are as they should be.

The file has the variables that the functions get (.env.example), and two that only this command reads:
FERSK_FUNCTIONS_URL, where they answer, and SUPABASE_DB_URL, of the database's owner. What needs a variable
that is not there is left out, and said so. Reads, and sends one signed webhook, which asks for a refresh.
"""

from __future__ import annotations

import argparse
import datetime as dt
import email.utils
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
from dotenv import dotenv_values
from standardwebhooks.webhooks import Webhook

from _shared.settings import Settings, SettingsError, read_settings
from local import command, migrations
from local.errors import StackError
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    Finding = tuple[str, str | None]
    """What was looked at, and what to do about it; None where it is well."""

OPENAPI = ROOT / "functions" / "openapi.json"
CLOCK_SECONDS = 5.0
UNKNOWN_HEADER = "x-header-of-a-version-to-come"
SWEEP = {"type": "sweep", "table": "activity_changes", "records": [], "truncated": True}


@dataclass(frozen=True)
class Target:
    """What is to be checked."""

    settings: Settings
    functions_url: str | None
    database_url: str | None

    @property
    def project(self) -> str:
        """Its address, without a slash at the end."""
        return str(self.settings.supabase_url).rstrip("/")


def read_target(file: Path) -> Target:
    """Read the file alone: what the terminal has set plays no part.

    Raises StackError that names what is wrong.
    """
    if not file.exists():
        raise StackError(f"{file} is not there: copy .env.example and fill it in")
    values = dotenv_values(file, interpolate=False)
    try:
        settings = read_settings(values)
    except SettingsError as error:
        raise StackError(f"{file}: {error}") from None
    url = values.get("FERSK_FUNCTIONS_URL")
    return Target(settings, url.rstrip("/") if url else None, values.get("SUPABASE_DB_URL") or None)


def check_project(target: Target, http: httpx.Client) -> Iterator[Finding]:
    """Look at what the project answers to its keys."""
    publishable = target.settings.publishable_key.get_secret_value()
    secret = target.settings.secret_key.get_secret_value()
    answer = http.get(f"{target.project}/auth/v1/settings", headers={"apikey": publishable})
    yield (
        "the publishable key is known",
        _unless(answer, 200, "SUPABASE_URL or SUPABASE_PUBLISHABLE_KEY is wrong"),
    )
    if answer.status_code == httpx.codes.OK:
        is_closed = answer.json().get("disable_signup") is True
        yield "nobody signs up by themselves", None if is_closed else "Authentication: switch sign-up off"
    yield "clocks agree", _clocks(answer)

    def health(**headers: str) -> httpx.Response:
        key = {"apikey": secret, "authorization": f"Bearer {secret}"}
        return http.post(f"{target.project}/rest/v1/rpc/get_health", json={}, headers=key | headers)

    hints = {
        401: "SUPABASE_SECRET_KEY is wrong",
        404: "the migrations are not there: npx supabase db push --remote",
    }
    answer = health()
    yield (
        "the secret key is known, and Fersk is installed",
        _unless(answer, 200, hints.get(answer.status_code, "")),
    )
    if answer.status_code == httpx.codes.OK:
        refused = health(prefer="tx=rollback")
        hint = "PostgREST does not know app.check_request: select private.install_platform_parts()"
        yield "each request is checked", _unless(refused, 400, hint)
    closed = http.get(f"{target.project}/rest/v1/activities", headers={"apikey": publishable})
    yield (
        "nothing is open to strangers",
        _unless(closed, 401, "anon may read activities: private.platform_problems()"),
    )


def check_tokens(target: Target, http: httpx.Client) -> Iterator[Finding]:
    """Look at what users' tokens are verified with."""
    settings = target.settings
    if settings.jwks_url:
        answer = http.get(str(settings.jwks_url))
        keys = answer.json().get("keys") if answer.status_code == httpx.codes.OK else None
        hint = (
            "no key at SUPABASE_JWKS_URL: the project signs with its legacy secret; set SUPABASE_JWT_SECRET"
        )
        yield "there is a public key to verify tokens with", None if keys or settings.jwt_secret else hint
    if settings.jwks_url and settings.jwt_secret:
        yield (
            "one way to verify tokens",
            "both are in force: unset SUPABASE_JWT_SECRET once the secret is revoked",
        )


def check_database(target: Target, database_url: str) -> Iterator[Finding]:
    """Look into the database, as its owner."""
    pending = migrations.differ(database_url)
    yield "its migrations are this checkout's", "npx supabase db push --remote" if pending else None
    if pending:
        return
    wanted = {
        "fersk_webhook_secret": target.settings.webhook_secret.get_secret_value(),
        "fersk_functions_url": target.functions_url,
    }
    with psycopg.connect(database_url) as connection:
        for name, value in wanted.items():
            if value:
                row = connection.execute("select private.secret(%s)", [name]).fetchone()
                is_same = row is not None and (row[0] or "").rstrip("/") == value
                yield f"it has this {name}", None if is_same else f"select private.set_secret('{name}', '…')"
        problems = connection.execute("select problem, remedy from private.platform_problems()").fetchall()
    yield (
        "the platform has what Fersk needs",
        "; ".join(f"{problem}: {remedy}" for problem, remedy in problems) or None,
    )


def check_functions(target: Target, functions_url: str, http: httpx.Client) -> Iterator[Finding]:
    """Look at the functions as apps, browsers and the database meet them."""
    answer = http.get(f"{functions_url}/health")
    yield (
        "the functions reach the database",
        _unless(answer, 200, "see their log: SUPABASE_URL, SUPABASE_SECRET_KEY"),
    )
    for path in json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]:
        asked = {"access-control-request-headers": UNKNOWN_HEADER, "origin": "https://app.example"}
        answer = http.options(f"{functions_url}{path}", headers=asked)
        allowed = answer.headers.get("access-control-allow-headers", "")
        is_there = answer.status_code == httpx.codes.NO_CONTENT and UNKNOWN_HEADER in allowed
        yield (
            f"{path} is there, for browsers too",
            None if is_there else f"HTTP {answer.status_code} to a preflight",
        )
    body = json.dumps(SWEEP | {"organization_id": str(uuid.UUID(int=0))})
    signature = Webhook(target.settings.webhook_secret.get_secret_value())
    message, now = f"msg_{uuid.uuid4().hex}", dt.datetime.now(dt.UTC)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature.sign(message, now, body),
        "content-type": "application/json",
    }
    answer = http.post(f"{functions_url}/refresh-stats-views", content=body, headers=headers)
    yield "they take a signed webhook", _unless(answer, 200, "FERSK_WEBHOOK_SECRET is another one there")


def _unless(answer: httpx.Response, expected: int, hint: str) -> str | None:
    return None if answer.status_code == expected else f"HTTP {answer.status_code}. {hint}".strip()


def _clocks(answer: httpx.Response) -> str | None:
    said = email.utils.parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else None
    apart = abs((dt.datetime.now(dt.UTC) - said).total_seconds()) if said else 0.0
    return f"{apart:.0f} s apart" if apart > CLOCK_SECONDS else None


def check(target: Target) -> Iterator[Finding]:
    """Look at everything for which there are the variables."""
    # trust_env: an operator's proxy may be the only way out
    with httpx.Client(timeout=20, trust_env=not target.project.startswith("http://127.")) as http:
        try:
            yield from check_project(target, http)
            yield from check_tokens(target, http)
            if target.functions_url:
                yield from check_functions(target, target.functions_url, http)
        except httpx.TransportError as error:
            yield f"{error.request.url.host} answers", f"{type(error).__name__}"
    if target.database_url:
        yield from check_database(target, target.database_url)


def main() -> int:
    """Check, and say what there is to do."""
    parser = argparse.ArgumentParser(prog="deploy-check", description="Check a project and its functions.")
    parser.add_argument("env", type=Path, help="file with the functions' variables")
    target = read_target(parser.parse_args().env)
    found = list(check(target))
    for what, to_do in found:
        print(f"  {'ok   ' if to_do is None else 'TO DO'}  {what}{f': {to_do}' if to_do else ''}")
    left_out = {"FERSK_FUNCTIONS_URL": target.functions_url, "SUPABASE_DB_URL": target.database_url}
    for name, value in left_out.items():
        if not value:
            print(f"  left out: what needs {name}")
    open_ones = sum(1 for _, hint in found if hint)
    print(f"{len(found)} checks, {open_ones} to do")
    return 1 if open_ones else 0


if __name__ == "__main__":
    raise SystemExit(command.run(main))
