"""Which PostgreSQL the stack uses: the newest installed one that it supports, or the one asked for.

Standard library only: the installation asks here before the virtual environment exists.
"""

from __future__ import annotations

import os
from pathlib import Path

from local.errors import StackError

# The suite runs on 15 and 17; 16 and 18 are used where a platform has nothing else.
SUPPORTED = (18, 17, 16, 15)
ROOT = Path("/usr/lib/postgresql")
SHARE = Path("/usr/share/postgresql")
VARIABLE = "FERSK_POSTGRES"  # `make … PG=15` sets it


def package_files(major: int) -> dict[str, Path]:
    """Debian's packages of one major version, each with a file that it brings.

    Looking at the file is quicker than asking dpkg, and right for other installations too.
    """
    home, extensions = ROOT / str(major), SHARE / str(major) / "extension"
    return {
        f"postgresql-{major}": home / "bin" / "postgres",
        f"postgresql-{major}-cron": extensions / "pg_cron.control",
        f"postgresql-{major}-pgtap": extensions / "pgtap.control",
        f"postgresql-{major}-plpgsql-check": extensions / "plpgsql_check.control",
        f"postgresql-{major}-pgextwlist": home / "lib" / "pgextwlist.so",
    }


def installed() -> list[int]:
    """Supported major versions whose packages are all there, newest first."""
    return [major for major in SUPPORTED if all(file.exists() for file in package_files(major).values())]


def requested() -> int | None:
    """Return the major version that the caller asked for, if any; raises StackError if it is unknown."""
    wanted = os.environ.get(VARIABLE, "").strip()
    if wanted and wanted not in map(str, SUPPORTED):
        known = ", ".join(map(str, sorted(SUPPORTED)))
        raise StackError(f"PG={wanted}: supported versions of PostgreSQL are {known}")
    return int(wanted) if wanted else None


def chosen() -> int:
    """Choose the major version for a new cluster; raises StackError if it is not installed."""
    found, wanted = installed(), requested()
    if wanted is None and not found:
        raise StackError("PostgreSQL is not installed: run `make setup`")
    if wanted not in (None, *found):
        raise StackError(f"PostgreSQL {wanted} is not installed: run `make setup PG={wanted}`")
    return wanted or found[0]


def program(name: str, major: int | None = None) -> str:
    """Give the path of one of PostgreSQL's programs; by default of the chosen version."""
    return str(ROOT / str(major or chosen()) / "bin" / name)
