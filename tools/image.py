"""`make image`: the image of the functions, its size, and how long it takes to start.

With a container engine the image is built and run. Without one a folder is filled with the same files, by
the same script, and they are run by the same entry, with the same environment and as the same user; in place
of the base image's Python there is Debian's.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local import command
from local.config import Ports
from local.errors import StackError
from local.network import HOST, answers
from local.requirements import ROOT, VENV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TAG = "fersk-functions"
PYTHON = "/usr/bin/python3"
CONTENTS = "/srv/fersk"
START_SECONDS = 30.0
# Enough to start with, and nothing behind it: the server answers, the functions have no database.
PLACEHOLDERS = {
    "SUPABASE_URL": "https://project.invalid",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_placeholder",
    "SUPABASE_SECRET_KEY": "sb_secret_placeholder",
    "SUPABASE_JWKS_URL": "https://project.invalid/auth/v1/.well-known/jwks.json",
    "FERSK_WEBHOOK_SECRET": "whsec_" + "A" * 32,
}
# In namespaces of its own, so that the files are where the image has them; as root only.
AS_IN_THE_IMAGE = """
mount -t tmpfs tmpfs /srv && mkdir {contents} && mount --bind -o ro {files} {contents}
mount -o remount,ro,bind {contents} && cd {workdir}
exec setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs -- env --ignore-environment {command}
"""


@dataclass(frozen=True)
class Recipe:
    """What the last stage of the Dockerfile says of how a container is run."""

    entrypoint: list[str]
    healthcheck: list[str]
    environment: dict[str, str]
    user: int
    workdir: str


def read_recipe(text: str) -> Recipe:
    """Read the Dockerfile."""
    last_stage = re.split(r"^FROM .*$", re.sub(r"\\\n\s*", "", text), flags=re.MULTILINE)[-1]
    said = dict(re.findall(r"^([A-Z]+) (.*)$", last_stage, re.MULTILINE))
    _, _, probe = said["HEALTHCHECK"].partition("CMD ")
    return Recipe(
        entrypoint=json.loads(said["ENTRYPOINT"]),
        healthcheck=json.loads(probe),
        environment=dict(each.split("=", 1) for each in shlex.split(said["ENV"])),
        user=int(said["USER"].partition(":")[0]),
        workdir=said["WORKDIR"],
    )


RECIPE = read_recipe((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def engine() -> str | None:
    """Find a container engine that answers: the client alone is none."""
    for name in ("docker", "podman"):
        if (
            shutil.which(name)
            and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0
        ):
            return name
    return None


def fill(target: Path) -> None:
    """Put into a folder what the image has in /srv/fersk."""
    search = os.pathsep.join([str(VENV / "bin"), os.environ["PATH"]])
    fill_image = [str(ROOT / "deploy" / "fill-image"), str(ROOT / "functions"), str(target), PYTHON]
    done = subprocess.run(
        fill_image, env={**os.environ, "PATH": search}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError(f"the image's contents could not be made:\n{done.stderr}")


def as_in_the_image(files: Path, wanted: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Give the command line that runs `wanted` with these files as a container would.

    Who is not root runs it as themselves, where the files are.
    """
    variables = [f"{name}={value}" for name, value in {**RECIPE.environment, **environment}.items()]
    line = ["PATH=/usr/bin:/bin", *variables, PYTHON, *wanted[1:]]
    assert wanted[0] == "python"  # noqa: S101 - the base image's, which is not here
    if os.geteuid() != 0:
        moved = [argument.replace(CONTENTS, str(files)) for argument in line]
        chdir = RECIPE.workdir.replace(CONTENTS, str(files))
        return ["env", "--ignore-environment", f"--chdir={chdir}", *moved]
    script = AS_IN_THE_IMAGE.format(
        contents=CONTENTS, files=shlex.quote(str(files)), workdir=RECIPE.workdir, user=RECIPE.user,
        command=shlex.join(line),
    )  # fmt: skip
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]


@contextmanager
def running(
    files: Path, port: int, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """Run the entry until the block ends. Gives the process, and the seconds until it first answered.

    Raises StackError if it does not.
    """
    entry = [*RECIPE.entrypoint, "--bind", f"{HOST}:{port}"]
    line = as_in_the_image(files, entry, {**environment, "PORT": str(port)})
    started = time.monotonic()
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            while not answers(f"http://{HOST}:{port}/health"):
                if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                    process.kill()
                    raise StackError(f"the server did not start:\n{process.communicate()[0]}")
                time.sleep(0.01)
            yield process, time.monotonic() - started
        finally:
            process.terminate()


def size_of(folder: Path) -> float:
    """Add up a folder, in megabytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def make_here() -> None:
    """Fill, run, and say what it is."""
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory) / "image"
        fill(files)
        targets = {"all functions": {}, "health alone": {"FUNCTION_TARGET": "health"}}
        print("No container engine: the image's contents, filled and run without one.")
        for name in ("packages", "functions"):
            print(f"  {name}: {size_of(files / name):.1f} MB")
        for title, target in targets.items():
            seconds = []
            for _ in range(3):
                with running(files, Ports.free().functions, PLACEHOLDERS | target) as (_, first):
                    seconds.append(first)
            print(f"  start to the first answer, {title}: {sorted(seconds)[1]:.2f} s")


def make_with(program: str) -> None:
    """Build, run, and say what it is."""
    subprocess.run([program, "build", "--tag", TAG, str(ROOT)], check=True)
    inspect = [program, "image", "inspect", "--format", "{{.Size}}", TAG]
    size = int(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)
    print(f"  {TAG}: {size / 1e6:.1f} MB")
    port = Ports.free().functions
    variables = [f"--env={name}={value}" for name, value in PLACEHOLDERS.items()]
    options = [
        "--rm",
        "--detach",
        "--read-only",
        f"--publish={HOST}:{port}:{RECIPE.environment['PORT']}",
        *variables,
    ]
    started = time.monotonic()
    container = subprocess.run(
        [program, "run", *options, TAG], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        while not answers(f"http://{HOST}:{port}/health"):
            if time.monotonic() - started > START_SECONDS:
                raise StackError(f"the container did not answer in {START_SECONDS:.0f} s")
            time.sleep(0.01)
        print(f"  start to the first answer, all functions: {time.monotonic() - started:.2f} s")
    finally:
        subprocess.run([program, "stop", container], capture_output=True, check=False)


def main() -> int:
    """Make the image, or its contents."""
    found = engine()
    make_with(found) if found else make_here()
    return 0


if __name__ == "__main__":
    raise SystemExit(command.run(main))
