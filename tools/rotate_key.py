"""`make rotate-api-key REF=… URL=… DEPLOY=…`: a new API key of a project, and no call refused in between.

The platform accepts several keys at once, and so do the functions. A new key is made; the functions are
deployed with both; whoever else calls gets the new one; the functions are deployed with it alone; the old one
is deleted. Before each step it is tried that nobody would be refused. Docs: docs/howto/runbook.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import httpx

from local import command
from local.errors import StackError
from tools.rotate import run_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANAGEMENT = "https://api.supabase.com"
PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.5
VARIABLES = {"secret": "SUPABASE_SECRET_KEY", "publishable": "SUPABASE_PUBLISHABLE_KEY"}
PREVIOUS = "FERSK_PREVIOUS_SECRET_KEY"

Kind = Literal["secret", "publishable"]


@dataclass(frozen=True)
class Key:
    """One of the project's API keys."""

    id: str
    value: str


class Keys:
    """The project's API keys, over the platform's own API."""

    def __init__(self, http: httpx.Client, ref: str) -> None:
        self._http, self._path = http, f"/v1/projects/{ref}/api-keys"

    def find(self, value: str) -> Key | None:
        """Give the key with this value, if the project has it."""
        return next((key for key in self._list() if key.value == value), None)

    def make(self, kind: Kind) -> Key:
        """Make one more."""
        template = {"secret_jwt_template": {"role": "service_role"}} if kind == "secret" else {}
        name = f"fersk_{datetime.now(UTC):%Y%m%d_%H%M%S}"
        body = {"type": kind, "name": name, **template}
        return _key(self._ask("POST", self._path, params={"reveal": "true"}, json=body))

    def delete(self, key: Key) -> None:
        """Delete one."""
        self._ask("DELETE", f"{self._path}/{key.id}")

    def _list(self) -> list[Key]:
        return [
            _key(each) for each in self._ask("GET", self._path, params={"reveal": "true"}) if each.get("id")
        ]

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, path, **options)
        if not answer.is_success:
            raise StackError(
                f"the platform answers {answer.status_code} to {method} {path}: "
                "is REF the project's, and SUPABASE_ACCESS_TOKEN somebody's who may change its keys?"
            )
        return answer.json()


def _key(said: dict[str, Any]) -> Key:
    return Key(said["id"], said["api_key"])


@dataclass(frozen=True)
class Project:
    """Where a key is tried: at the data API, and at the functions."""

    http: httpx.Client
    functions_url: str

    def is_known(self, key: str) -> bool:
        """Whether the data API knows it, whatever it may do."""
        answer = self.http.post("/rest/v1/rpc/get_role", json={}, headers={"apikey": key})
        return not (answer.status_code == 401 and "api key" in answer.text.lower())

    def functions_know(self, key: str) -> bool:
        """Whether the functions take it as that of a service."""
        answer = self.http.get(f"{self.functions_url}/metrics", headers={"apikey": key})
        return answer.status_code not in {401, 403}


@dataclass(frozen=True)
class Steps:
    """What the operator brings.

    deploy : deploys all functions with these variables, and returns when no former one is left.
    callers: gives whoever else calls the new key, in these variables.
    """

    deploy: Callable[[dict[str, str]], None]
    callers: Callable[[dict[str, str]], None]


def rotate_secret_key(
    keys: Keys, project: Project, old: Key, steps: Steps, tell: Callable[[str], None]
) -> Key:
    """Put a new secret key in the place of an old one, which works until nobody calls with it any more.

    Where a step fails, both keys go on working.
    """
    new = keys.make("secret")
    tell("a new key is made")
    _wait("the project to know the new key", lambda: project.is_known(new.value))
    both = {VARIABLES["secret"]: new.value, PREVIOUS: old.value}
    steps.deploy(both)
    _wait("the functions to know both", lambda: all(map(project.functions_know, (new.value, old.value))))
    tell("the functions call with the new key, and know both")
    steps.callers(both)
    steps.deploy({VARIABLES["secret"]: new.value, PREVIOUS: ""})
    _wait("the functions to forget the old key", lambda: not project.functions_know(old.value))
    keys.delete(old)
    tell("the old key is deleted")
    return new


def rotate_publishable_key(keys: Keys, project: Project, steps: Steps, tell: Callable[[str], None]) -> Key:
    """Make a new publishable key, and have the functions and the app's next version use it.

    The old one stays: apps hold it until people update them.
    """
    new = keys.make("publishable")
    tell("a new key is made")
    _wait("the project to know the new key", lambda: project.is_known(new.value))
    steps.deploy({VARIABLES["publishable"]: new.value})
    steps.callers({VARIABLES["publishable"]: new.value})
    tell(f"the functions use it: {new.value}. Delete the old one when no app is left that holds it")
    return new


def _wait(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise StackError(f"waited {PATIENCE_SECONDS:.0f} s for {what}: both keys go on working")
        time.sleep(POLL_SECONDS)


def shell(line: str) -> Callable[[dict[str, str]], None]:
    """Make of a shell command a step that finds the keys in its environment."""

    def run(variables: dict[str, str]) -> None:
        run_line(line, variables, ": both keys go on working")

    return run


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.rotate_key", description=__doc__)
    parser.add_argument("--kind", choices=[*VARIABLES], default="secret")
    parser.add_argument("--ref", required=True, help="of the project")
    parser.add_argument("--url", required=True, help="address of the project's API")
    parser.add_argument("--functions", default="", help="of the functions, where that is elsewhere")
    parser.add_argument("--deploy", required=True, help="deploys all functions with the variables it finds")
    parser.add_argument("--callers", default="true", help="gives the new key to whoever else calls")
    return command.run(lambda: _run(parser.parse_args(words)))


def _run(arguments: argparse.Namespace) -> int:
    token, old_value = os.environ.get("SUPABASE_ACCESS_TOKEN"), os.environ.get("SUPABASE_SECRET_KEY")
    if not token or not (old_value or arguments.kind == "publishable"):
        raise StackError("set SUPABASE_ACCESS_TOKEN, and SUPABASE_SECRET_KEY to the key that is to go")
    steps = Steps(shell(arguments.deploy), shell(arguments.callers))
    with (
        httpx.Client(
            base_url=MANAGEMENT, headers={"authorization": f"Bearer {token}"}, timeout=30
        ) as platform,
        httpx.Client(base_url=arguments.url, timeout=30) as http,
    ):
        keys = Keys(platform, arguments.ref)
        project = Project(http, arguments.functions or f"{arguments.url}/functions/v1")
        if arguments.kind == "publishable":
            rotate_publishable_key(keys, project, steps, print)
            return 0
        old = keys.find(old_value or "")
        if old is None:
            raise StackError("the project has no key like SUPABASE_SECRET_KEY")
        rotate_secret_key(keys, project, old, steps, print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
