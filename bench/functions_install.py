"""What both sides need beside the project's own environment: ours as it is deployed, and Deno's packages."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.functions_jobs import DENO, DEPLOYED, PEERS
from local import requirements
from local.errors import StackError
from local.requirements import ROOT

LIST = ROOT / "functions" / "requirements.txt"
PEER_LOCK = PEERS / "package-lock.json"


def install_deployed() -> None:
    """Bring an environment to exactly what is deployed, with compiled bytecode, as an image has to."""
    fingerprint = f"{requirements.fingerprint_of(LIST)} {sys.version_info[:2]}"
    if requirements.is_current(DEPLOYED, fingerprint):
        return
    uv = requirements.uv_program()
    if uv is None:
        raise StackError("uv is missing: run `make setup`")
    _run(str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(DEPLOYED))
    options = ("--quiet", "--require-hashes", "--compile-bytecode", "--python", str(DEPLOYED))
    _run(str(uv), "pip", "install", *options, "-r", str(LIST))
    requirements.mark_current(DEPLOYED, fingerprint)


def install_peer() -> None:
    """Bring Deno and its packages to what their own list says."""
    modules, fingerprint = PEERS / "node_modules", requirements.fingerprint_of(PEER_LOCK)
    if requirements.is_current(modules, fingerprint) and DENO.exists():
        return
    directory = requirements.node_directory()
    if directory is None:
        raise StackError("Node.js is missing or too old: run `make setup`")
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    options = ("--prefix", str(PEERS), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _run(str(directory / "npm"), "ci", *options, PATH=path)
    requirements.mark_current(modules, fingerprint)


def _run(*command: str, **environment: str) -> None:
    variables = {**os.environ, "UV_SYSTEM_CERTS": "1", **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
