"""Install what is missing (`make setup`): Debian packages, the virtual environment, the Node.js packages.

With `--tests` (`make setup-tests`) also the Debian packages that only tests need: a browser, pg_prove.

Every step is skipped when its list has not changed since it last ended well. Standard library only.

Python packages are installed by uv, from lists that name every version with its hashes. pip alone would do,
too: the lists keep extras such as `coverage[toml]==…`, without which an older pip takes a request for the
extra for another package, and wants the newest one. uv takes a tenth of the time, and is the same everywhere.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from local import requirements
from local.errors import StackError
from local.requirements import NODE_MODULES, VENV

APT_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
CLUSTER_SWITCH = Path("/etc/postgresql-common/createcluster.d/fersk.conf")
PYTHON = str(VENV / "bin" / "python")


class SetupError(StackError):
    """The machine lacks something that cannot be installed from here."""


def main(words: list[str] | None = None) -> int:
    """Run all steps. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.install", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what only tests need")
    arguments = parser.parse_args(words)
    try:
        install_system_packages(for_tests=arguments.tests)
        install_python_packages()
        install_node_packages()
    except StackError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


def install_system_packages(*, for_tests: bool = False) -> None:
    """Install missing Debian packages as root; otherwise name the command that does."""
    if sys.version_info < requirements.MINIMUM_PYTHON:
        wanted, found = ".".join(map(str, requirements.MINIMUM_PYTHON)), sys.version.split()[0]
        raise SetupError(f"Python {wanted} or newer is needed, this is {found} ({sys.executable})")
    missing = requirements.missing_packages(for_tests=for_tests)
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise SetupError(
            "this system has no apt-get: use Debian 12 or newer, or a container engine and STACK=docker; "
            f"missing are {', '.join(missing)}, in the places where Debian puts them"
        )
    if os.geteuid() != 0:
        commands = f"  sudo apt-get update\n  sudo {shlex.join([*APT_INSTALL, *missing])}"
        raise SetupError(f"these packages are missing, and installing them needs root:\n{commands}")
    # An incomplete update (one unreachable source of many) may still know these packages: install decides.
    _run("apt-get update", "apt-get", "update", may_fail=True)
    missing = requirements.missing_packages(for_tests=for_tests)  # the lists may name a newer PostgreSQL now
    # Keeps Debian from creating and starting a server of its own.
    CLUSTER_SWITCH.parent.mkdir(parents=True, exist_ok=True)
    CLUSTER_SWITCH.write_text("create_main_cluster = false\n", encoding="utf-8")
    try:
        _run(f"apt-get install {' '.join(missing)}", *APT_INSTALL, *missing)
    finally:
        CLUSTER_SWITCH.unlink()


def install_python_packages() -> None:
    """Create the virtual environment and bring it to what the list says."""
    fingerprint = f"{requirements.fingerprint_of(requirements.PYTHON_LOCK)} {sys.version_info[:2]}"
    if requirements.is_current(VENV, fingerprint):
        return
    # Also on an existing environment: it completes one whose creation was interrupted.
    uv, lock = requirements.uv_program(), requirements.INSTALLER_LOCK
    if uv is None:
        _run("python -m venv .venv", sys.executable, "-m", "venv", str(VENV))
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))
        _run(f"pip install -r {lock.name}", PYTHON, "-m", "pip", "install", *options)
    else:
        python = ("--python", sys.executable)
        _run("uv venv .venv", str(uv), "venv", "--quiet", "--allow-existing", *python, str(VENV))
    _uv_install(requirements.PYTHON_LOCK)
    requirements.mark_current(VENV, fingerprint)


def install_node_packages() -> None:
    """Bring node_modules to what the lock file says, with the machine's Node.js or one from PyPI."""
    wanted, directory = f"Node.js {requirements.MINIMUM_NODE} or newer", requirements.node_directory()
    if directory is None:
        print(f"  {wanted} was not found: installing one into .venv", flush=True)
        _uv_install(requirements.NODE_RUNTIME_LOCK)
        directory = requirements.node_directory()
    if directory is None:
        raise SetupError(f"{wanted} with npm is needed: https://nodejs.org")
    fingerprint = requirements.fingerprint_of(requirements.NPM_LOCK)
    if not requirements.is_current(NODE_MODULES, fingerprint):
        path = f"{directory}{os.pathsep}{os.environ['PATH']}"
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _run("npm ci", str(directory / "npm"), "ci", *options, PATH=path)
        requirements.mark_current(NODE_MODULES, fingerprint)


def _uv_install(lock: Path) -> None:
    """Install a list into the virtual environment, with the certificates that the machine trusts."""
    uv = requirements.uv_program()
    if uv is None:
        raise SetupError("uv is not there although it was installed: remove .venv and run `make setup`")
    options = ("--quiet", "--python", PYTHON, "--require-hashes", "-r", str(lock))
    try:
        _run(f"uv pip install -r {lock.name}", str(uv), "pip", "install", *options, UV_SYSTEM_CERTS="1")
    except SetupError as error:
        hint = "uv does not read pip's settings: a mirror of PyPI is set by UV_DEFAULT_INDEX"
        raise SetupError(f"{error}\n({hint})") from error


def _run(title: str, *command: str, may_fail: bool = False, **environment: str) -> None:
    """Run one step, quiet while it goes well.

    Raises SetupError with the program's own words if it fails, unless it may.
    """
    print(f"  {title} …", end="", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=requirements.ROOT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    print(f" {time.monotonic() - started:.1f} s", flush=True)
    if done.returncode != 0 and not may_fail:
        raise SetupError(f"`{shlex.join(command)}` failed:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    sys.exit(main())
