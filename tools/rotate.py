"""`make rotate-webhook-secret DB=… DEPLOY=…`: a new secret for the webhooks, and none refused in between.

The database signs with both secrets while the functions are deployed with the new one. What was signed with
the old one alone is waited for first: by the time a function holds the new one, all that arrives is signed
with it. Docs: docs/howto/runbook.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg

from local import command
from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Connection = psycopg.Connection[tuple[object, ...]]

PATIENCE_SECONDS = 90.0  # an answer takes five seconds at most, and one that was lost a minute
POLL_SECONDS = 0.5
OLDER = "select exists (select from private.deliveries where answered_at is null and sent_at <= %s)"
UNDER_WAY = "select private.find_secret('fersk_previous_webhook_secret') is not null"
PROBE = """
    select stats.wake('invalidate-hierarchy-cache', 'heartbeat', o.id, '[]', true)
    from public.organizations o order by o.id limit 1
"""
ACCEPTED = """
    select exists (select from private.deliveries
                   where sent_at > %s and status_code between 200 and 299)
"""


def rotate(connection: Connection, deploy: Callable[[str], None], tell: Callable[[str], None]) -> None:
    """Rotate the secret; `deploy` gives it to all functions, and raises where that fails.

    Until the end both secrets are in force. So whatever fails, nothing is refused, and it can be repeated: a
    rotation that is under way is gone on with.
    """
    if _value(connection, UNDER_WAY):
        secret = _value(connection, "select private.secret('fersk_webhook_secret')")
        tell("a rotation is under way: going on with it")
    else:
        secret = _value(connection, "select private.begin_webhook_rotation()")
        tell("a new secret is made: wake-ups are signed with both")
    begun = _value(connection, "select clock_timestamp()")
    _wait("the answers to what was signed before", connection, OLDER, begun, wanted=False)
    deploy(str(secret))
    tell("the functions are deployed")
    deployed = _value(connection, "select clock_timestamp()")
    connection.execute(PROBE)
    _wait("a function that accepts a wake-up", connection, ACCEPTED, deployed, wanted=True)
    connection.execute("select private.end_webhook_rotation()")
    tell("a wake-up was accepted: the old secret is forgotten")


def _wait(what: str, connection: Connection, query: str, since: object, *, wanted: bool) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection.execute("select private.collect_answers()")
        if _value(connection, query, since) is wanted:
            return
        if time.monotonic() > deadline:
            raise StackError(f"waited {PATIENCE_SECONDS:.0f} s for {what}; look into private.deliveries")
        time.sleep(POLL_SECONDS)


def _value(connection: Connection, query: str, *parameters: object) -> object:
    row = connection.execute(query.encode(), parameters).fetchone()
    return row[0] if row else None


def run_deploy(line: str) -> Callable[[str], None]:
    """Make of a shell command one that gets the secret in its environment."""

    def deploy(secret: str) -> None:
        run_line(line, {"FERSK_WEBHOOK_SECRET": secret})

    return deploy


def run_line(line: str, variables: Mapping[str, str], meanwhile: str = "") -> None:
    """Run a shell command with these variables. Raises StackError if it fails, with what holds meanwhile."""
    environment = {**os.environ, **variables}
    done = subprocess.run(line, shell=True, env=environment, check=False)  # noqa: S602 - the operator's own
    if done.returncode != 0:
        raise StackError(f"{line} ended with status {done.returncode}{meanwhile}")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.rotate", description=__doc__)
    parser.add_argument("--db", required=True, help="Postgres URL of role postgres")
    parser.add_argument("--deploy", required=True, help="deploys all functions with FERSK_WEBHOOK_SECRET")
    arguments = parser.parse_args(words)
    return command.run(lambda: _run(arguments.db, arguments.deploy))


def _run(url: str, line: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        rotate(connection, run_deploy(line), print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
