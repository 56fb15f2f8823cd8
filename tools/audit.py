"""Look up every package that is installed or deployed among known vulnerabilities (`make audit`).

Python's are looked up at osv.dev, by uv; npm's at its registry, by npm. Where one cannot be reached, nothing
is known, and the command fails: silence is never taken for safety.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local import requirements
from local.requirements import ROOT

LISTS = (
    ROOT / "functions" / "requirements.txt",
    requirements.PYTHON_LOCK,
    requirements.INSTALLER_LOCK,
    requirements.NODE_RUNTIME_LOCK,
)
PIN = re.compile(r"^(?P<package>[\w.\[\],-]+==[^\s;\\]+)\s*(?P<marker>;[^\\]+?)?\s*\\?$", re.MULTILINE)
PROJECT = """
[project]
name = "audited"
version = "0"
requires-python = ">={python}"
dependencies = {dependencies}
"""
VULNERABLE, UNKNOWN = 1, 2


@dataclass(frozen=True)
class Finding:
    """What is known about the packages of one kind: `status` is an exit status, `text` says it to people."""

    status: int
    text: str


def pins(lists: tuple[Path, ...] = LISTS) -> list[str]:
    """Every package of the lists with its version, and the platforms that it is for."""
    matches = (match for file in lists for match in PIN.finditer(file.read_text(encoding="utf-8")))
    return sorted({match["package"] + (match["marker"] or "").rstrip() for match in matches})


def audit_python(service: str | None = None) -> Finding:
    """Ask osv.dev, or another service of its kind."""
    uv = requirements.uv_program()
    if uv is None:
        return Finding(UNKNOWN, "uv is missing: run `make setup`")
    python = ".".join(map(str, requirements.MINIMUM_PYTHON))
    with tempfile.TemporaryDirectory() as folder:
        # uv audits a project, so the lists are made one.
        project = PROJECT.format(python=python, dependencies=json.dumps(pins()))
        (Path(folder) / "pyproject.toml").write_text(project, encoding="utf-8")
        options = ["--quiet", "--preview-features=audit-command", f"--directory={folder}"]
        command = [str(uv), "audit", *options, *([f"--service-url={service}"] if service else [])]
        done = _run(command, UV_SYSTEM_CERTS="1")
    if done.returncode in (0, VULNERABLE):
        return Finding(done.returncode, done.stdout.strip())
    return Finding(UNKNOWN, done.stderr.strip())


def audit_node(registry: str | None = None) -> Finding:
    """Ask npm's registry, or another of its kind."""
    directory = requirements.node_directory()
    if directory is None:
        return Finding(UNKNOWN, "Node.js is missing: run `make setup`")
    command = [str(directory / "npm"), "audit", "--json", *([f"--registry={registry}"] if registry else [])]
    done = _run(command, PATH=f"{directory}{os.pathsep}{os.environ['PATH']}")
    try:
        found = json.loads(done.stdout)["vulnerabilities"]
    except (ValueError, KeyError):
        return Finding(UNKNOWN, done.stderr.strip())
    lines = [f"{name}: {entry['severity']}, {entry['range']}" for name, entry in sorted(found.items())]
    return Finding(VULNERABLE if lines else 0, "\n".join(lines))


def report(findings: dict[str, Finding]) -> int:
    """Say what is known. Returns 0 where nothing is wrong, 1 where something is, 2 where nobody can tell."""
    for kind, finding in findings.items():
        words = {
            0: "no known vulnerability",
            VULNERABLE: "VULNERABLE",
            UNKNOWN: "NOT KNOWN, nobody could be asked",
        }
        print(f"{kind}: {words[finding.status]}")
        if finding.text:
            print(finding.text)
    statuses = {finding.status for finding in findings.values()}
    return VULNERABLE if VULNERABLE in statuses else max(statuses)


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(report({"Python": audit_python(), "npm": audit_node()}))
