"""`python -m tools.demo`: two activities from the terminal, the second without functions, for who watches."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local import command, processes, services
from local.stack import DEFAULT_STATE_DIR, Stack
from local.summary import PASSWORD
from tools.accounts import sign_in

PEER_MENTOR, COORDINATOR = "ola@nhf.example", "kari@nhf.example"
PARTS = ("postgres", "rest", "gateway", "functions")


def app_of(stack: Stack, email: str) -> httpx.Client:
    """Give a client that asks as this person."""
    return httpx.Client(base_url=stack.api_url, headers=sign_in(stack, email), timeout=30)


def register(peer_mentor: httpx.Client) -> None:
    """Register a conversation of an hour, in the peer mentor's own chapter."""
    (assignment,) = peer_mentor.get("/rest/v1/chapter_assignments?select=unit_id&limit=1").json()
    (kind,) = peer_mentor.get("/rest/v1/activity_types?select=id&code=eq.conversation").json()
    activity = {"activity_type_id": kind["id"], "occurred_at": datetime.now(UTC).isoformat()}
    body = {**assignment, **activity, "duration_minutes": 60}
    peer_mentor.post("/rest/v1/activities", json=body).raise_for_status()


def count(coordinator: httpx.Client) -> int:
    """Count what the coordinator's bars of this year add up to."""
    year = datetime.now(UTC).year
    period = {"p_from": f"{year}-01-01", "p_to": f"{year + 1}-01-01"}
    months = coordinator.post("/rest/v1/rpc/get_activity_series", json=period).raise_for_status().json()
    return sum(month["activity_count"] for month in months)


def wait(words: str) -> None:
    """Let the person at the terminal look first; in a script nobody waits."""
    print(words)
    if sys.stdin.isatty():
        input("Enter: ")


def demo(stack: Stack) -> int:
    """Show that figures follow at once, whatever is dead."""
    with closing(app_of(stack, PEER_MENTOR)) as ola, closing(app_of(stack, COORDINATOR)) as kari:
        wait(f"Open {stack.api_url}/ as {COORDINATOR} ({PASSWORD}). Then an activity is registered.")
        before = count(kari)
        register(ola)
        print(f"  {before} → {count(kari)}")
        wait("Now the functions are ended, and another one is registered.")
        processes.stop(stack.instance, "functions")
        try:
            before = count(kari)
            register(ola)
            print(f"  {before} → {count(kari)}")
            wait("What told the page is the database. The functions are started again.")
        finally:
            processes.ensure(stack.instance, services.functions(stack.instance))
    return 0


def main() -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="of the stack")
    arguments = parser.parse_args()
    return command.run(lambda: demo(Stack.running(arguments.state_dir, parts=PARTS)))


if __name__ == "__main__":
    sys.exit(main())
