"""An API key is rotated while callers use it, and no call is refused."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx
import pytest

from local.errors import StackError
from local.network import HOST
from tests.stack.gateway.processes import environment, run_gateway
from tests.support.deployment import Deployment
from tests.support.waiting import eventually
from tools.rotate_key import PREVIOUS, Keys, Project, Steps, rotate_publishable_key, rotate_secret_key, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack
    from tests.stack.gateway.processes import Gateway
    from tools.rotate_key import Key

NEW = {"secret": "sb_secret_" + "made_later_0123456789", "publishable": "sb_publishable_" + "made_later_0123"}


@dataclass
class Platform:
    """The platform's API for keys, played: nobody has a project here."""

    keys: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        if request.headers["authorization"] != "Bearer sbp_token" or "/projects/abc/" not in request.url.path:
            return httpx.Response(403, json={"message": "Forbidden"})
        if request.method == "POST":
            kind = json.loads(request.content)["type"]
            self.keys["made"] = NEW[kind]
            return httpx.Response(201, json={"id": "made", "api_key": NEW[kind]})
        if request.method == "DELETE":
            return httpx.Response(200, json={"id": self.keys.pop(request.url.path.rpartition("/")[2])})
        legacy = {"id": None, "api_key": "eyJ", "name": "anon"}
        listed = [{"id": name, "api_key": value} for name, value in self.keys.items()]
        return httpx.Response(200, json=[legacy, *listed])


class Behind(Project):
    """The functions, wherever the newest are."""

    deployment: Deployment

    def functions_know(self, key: str) -> bool:
        return Project(self.http, self.deployment.url).functions_know(key)


class Caller:
    """Calls again and again with the key that it was given."""

    def __init__(self, deployment: Deployment, key: str) -> None:
        self._deployment, self.key = deployment, key
        self.statuses: list[int] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.01):
            url = self._deployment.url
            self._deployment.under_way.add(url)
            if url == self._deployment.url:  # else it has moved on meanwhile
                headers = {"apikey": self.key}
                answer = httpx.post(
                    f"{url}/refresh-stats-views", json={}, headers=headers, timeout=20, trust_env=False
                )
                self.statuses.append(answer.status_code)
            self._deployment.under_way.discard(url)


@pytest.fixture
def gateway(stack: Stack, tmp_path: Path) -> Iterator[Gateway]:
    """Give a gateway that knows both keys of each kind, as the platform does."""
    env = environment(
        f"http://{HOST}:{stack.instance.ports.rest}",
        SUPABASE_JWT_SECRET=stack.jwt_secret,
        SUPABASE_PUBLISHABLE_KEY=NEW["publishable"],
        SUPABASE_SECRET_KEY=NEW["secret"],
        FERSK_PREVIOUS_PUBLISHABLE_KEY=stack.publishable_key,
        FERSK_PREVIOUS_SECRET_KEY=stack.secret_key,
        SUPABASE_ANON_KEY=stack.anon_key,
        SUPABASE_SERVICE_ROLE_KEY=stack.service_role_key,
    )
    with run_gateway(env, tmp_path / "gateway.log") as gateway:
        yield gateway


@pytest.fixture
def deployment(stack: Stack, gateway: Gateway) -> Iterator[Deployment]:
    deployment = Deployment(stack, gateway.url)
    try:
        deployment.deploy({"SUPABASE_SECRET_KEY": stack.secret_key})
        yield deployment
    finally:
        deployment.stop()


@pytest.fixture
def project(gateway: Gateway, deployment: Deployment) -> Iterator[Behind]:
    with httpx.Client(base_url=gateway.url, timeout=20, trust_env=False) as http:
        project = Behind(http, "")
        object.__setattr__(project, "deployment", deployment)
        yield project


def keys_of(platform: Platform, authorization: str = "Bearer sbp_token") -> Keys:
    headers = {"authorization": authorization}
    transport = httpx.MockTransport(platform)
    return Keys(httpx.Client(base_url="https://platform", headers=headers, transport=transport), "abc")


def found(keys: Keys, value: str) -> Key:
    key = keys.find(value)
    assert key is not None
    return key


def test_a_secret_key_is_rotated_and_no_call_refused(
    stack: Stack, deployment: Deployment, project: Behind
) -> None:
    platform = Platform({"old": stack.secret_key})
    keys = keys_of(platform)
    deployed: list[dict[str, str]] = []

    def deploy(variables: dict[str, str]) -> None:
        deployed.append(variables)
        deployment.deploy(variables)

    with Caller(deployment, stack.secret_key) as caller:

        def hand_over(variables: dict[str, str]) -> None:
            caller.key = variables["SUPABASE_SECRET_KEY"]
            seen = len(caller.statuses)
            eventually(lambda: len(caller.statuses) > seen + 2)  # what was sent with the old one is answered

        old = found(keys, stack.secret_key)
        new = rotate_secret_key(keys, project, old, Steps(deploy, hand_over), lambda _: None)
        eventually(lambda: len(caller.statuses) > 50)
    assert set(caller.statuses) == {200}
    assert new.value == NEW["secret"]
    assert platform.keys == {"made": NEW["secret"]}
    assert [each[PREVIOUS] for each in deployed] == [stack.secret_key, ""]
    assert project.functions_know(NEW["secret"])
    assert not project.functions_know(stack.secret_key)


def test_without_the_old_key_beside_it_calls_would_be_refused(stack: Stack, deployment: Deployment) -> None:
    """A control: the functions are deployed with the new key alone."""
    with Caller(deployment, stack.secret_key) as caller:
        deployment.deploy({"SUPABASE_SECRET_KEY": NEW["secret"]})
        eventually(lambda: 401 in caller.statuses)


def test_a_step_that_fails_leaves_both_keys_working(
    stack: Stack, deployment: Deployment, project: Behind
) -> None:
    platform = Platform({"old": stack.secret_key})
    keys = keys_of(platform)
    steps = Steps(deployment.deploy, shell("exit 3"))
    with pytest.raises(StackError, match="ended with status 3: both keys go on working"):
        rotate_secret_key(keys, project, found(keys, stack.secret_key), steps, lambda _: None)
    assert platform.keys == {"old": stack.secret_key, "made": NEW["secret"]}
    assert project.functions_know(stack.secret_key)
    assert project.functions_know(NEW["secret"])


def test_a_publishable_key_is_made_and_the_old_one_stays(
    stack: Stack, deployment: Deployment, project: Behind
) -> None:
    platform = Platform({"old": stack.publishable_key})
    told: list[str] = []
    keep = {"SUPABASE_SECRET_KEY": stack.secret_key}

    def deploy(variables: dict[str, str]) -> None:
        deployment.deploy(keep | variables)

    steps = Steps(deploy, shell(f'test "$SUPABASE_PUBLISHABLE_KEY" = {NEW["publishable"]}'))
    rotate_publishable_key(keys_of(platform), project, steps, told.append)
    assert platform.keys == {"old": stack.publishable_key, "made": NEW["publishable"]}
    assert project.is_known(stack.publishable_key)
    assert project.is_known(NEW["publishable"])
    assert not project.is_known("sb_publishable_nobody_made_this")
    assert NEW["publishable"] in told[-1]


def test_whoever_may_not_change_keys_is_told(stack: Stack) -> None:
    keys = keys_of(Platform({"old": stack.secret_key}), authorization="Bearer somebody-elses")
    with pytest.raises(StackError, match=r"answers 403 to GET .* SUPABASE_ACCESS_TOKEN"):
        keys.find(stack.secret_key)
    assert keys_of(Platform({"old": stack.secret_key})).find("sb_secret_unknown") is None
