"""What the image holds, run without a container engine: the same files, the same entry, the same user."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from _shared.http.loading import NAMES
from local.config import Ports
from local.errors import StackError
from local.network import HOST
from local.requirements import ROOT
from tests.contract.test_environment import deployed_variables
from tools import image

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image") / "contents"
    image.fill(folder)
    return folder


@pytest.fixture
def port() -> int:
    return Ports.free().functions


def deployed(stack: Stack) -> dict[str, str]:
    """The variables of the documented command, and no other."""
    values = {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_JWKS_URL": f"{stack.auth_url}/.well-known/jwks.json",
        "FERSK_WEBHOOK_SECRET": stack.webhook_secret,
    }
    assert values.keys() == set().union(*deployed_variables().values())
    return values


def test_the_dockerfile_copies_what_reaches_the_engine() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for word in line.split()
    }
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / word).exists() for word in copied)


def test_the_files_are_those_of_the_repository_and_nobodys(files: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "functions"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = [file for file in files.rglob("*") if file.is_file()]
    ours = {
        str(file.relative_to(files))
        for file in found
        if file.suffix != ".pyc" and "packages" not in file.parts
    }
    assert ours == set(listed)
    assert [
        file for file in found if file.stat().st_mode & 0o022 or file.stat().st_uid == image.RECIPE.user
    ] == []
    assert [file for file in found if not file.stat().st_mode & 0o004] == []


def test_every_module_is_compiled(files: Path) -> None:
    modules = {file for file in files.rglob("*.py") if "/tests/" not in str(file)}
    compiled = {file.parent.parent / f"{file.name.partition('.')[0]}.py" for file in files.rglob("*.pyc")}
    assert len(modules) > 500
    assert modules - compiled == set()


def served_by(process: psutil.Process) -> psutil.Process:
    return [process, *process.children(recursive=True)][-1]


@pytest.mark.parametrize("target", [None, "health"], ids=["all", "alone"])
def test_it_serves_with_exactly_the_documented_variables(
    stack: Stack, files: Path, port: int, target: str | None
) -> None:
    environment = deployed(stack) | ({"FUNCTION_TARGET": target} if target else {})
    with image.running(files, port, environment) as (process, _), httpx.Client(trust_env=False) as http:
        server = served_by(psutil.Process(process.pid))
        assert server.cmdline()[1:3] == ["-m", "_shared.http.server"]
        if os.geteuid() == 0:
            assert set(server.uids()) == set(server.gids()) == {image.RECIPE.user}
            assert server.cwd() == image.RECIPE.workdir
        answer = http.get(f"http://{HOST}:{port}/functions/v1/health")
        assert (answer.status_code, answer.json()["data"]["database"]) == (200, "reachable")
        listed = http.get(f"http://{HOST}:{port}/health").json()["functions"]
        assert listed == ([target] if target else sorted(name.replace("_", "-") for name in NAMES))
        assert http.get(f"http://{HOST}:{port}/").status_code == (200 if target else 404)
        probe = image.as_in_the_image(files, image.RECIPE.healthcheck, {"PORT": str(port)})
        assert subprocess.run(probe, check=False).returncode == 0
        process.terminate()
        assert process.wait(timeout=15) in {0, -15}
    assert subprocess.run(probe, check=False).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_it_can_write_nowhere_in_the_image(files: Path) -> None:
    attempt = "import pathlib; pathlib.Path('/srv/fersk/functions/more.py').touch()"
    line = image.as_in_the_image(files, ["python", "-c", attempt], {})
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"SUPABASE_JWKS_URL": ""}, "SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL must be set", id="a-variable"
        ),
        pytest.param(
            {"FUNCTION_TARGET": "nothing"}, "FUNCTION_TARGET is nothing, which is none of", id="the-target"
        ),
    ],
)
def test_it_does_not_start_without(
    stack: Stack, files: Path, port: int, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(StackError, match=words), image.running(files, port, deployed(stack) | changes):
        pass
