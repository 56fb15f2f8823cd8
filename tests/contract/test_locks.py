"""What is installed is named with its checksum, and runs nothing while it is installed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from local.requirements import NPM_LOCK, ROOT
from tools.audit import LISTS

if TYPE_CHECKING:
    from pathlib import Path

PEERS_LOCK = ROOT / "bench" / "peers" / "package-lock.json"


def dependencies(lock: Path) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: entry for name, entry in packages.items() if name}


DEPENDENCIES = dependencies(NPM_LOCK)
PEERS = dependencies(PEERS_LOCK)


def is_for_this_stack(entry: dict[str, Any]) -> bool:
    """Whether npm installs it where the embedded stack runs: Linux on x86-64, with glibc."""
    here = {"os": "linux", "cpu": "x64", "libc": "glibc"}
    return all(value in entry.get(name, [value]) for name, value in here.items())


@pytest.mark.parametrize("path", LISTS, ids=[path.name for path in LISTS])
def test_every_python_package_has_checksums(path: Path) -> None:
    pins = re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    packages = [pin for pin in pins if "==" in pin]
    assert packages
    assert [pin.splitlines()[0] for pin in packages if "--hash=sha256:" not in pin] == []


def test_every_node_package_has_a_checksum() -> None:
    """But for variants of the CLI for other platforms, which the registry that we locked with lacks."""
    without = {name for name, entry in DEPENDENCIES.items() if "integrity" not in entry}
    assert {name for name in without if is_for_this_stack(DEPENDENCIES[name])} == set()
    assert {name for name in without if not name.startswith("node_modules/@supabase/cli-")} == set()
    with_one = [entry["integrity"] for entry in DEPENDENCIES.values() if "integrity" in entry]
    assert [each for each in with_one if not each.startswith("sha512-")] == []


def test_what_the_benches_compare_us_with_has_checksums_too() -> None:
    here = {name: entry for name, entry in PEERS.items() if is_for_this_stack(entry)}
    assert [name for name, entry in here.items() if not entry["integrity"].startswith("sha512-")] == []
    assert "node_modules/deno" in here


def test_every_node_package_comes_from_the_registry() -> None:
    """No other place is named: neither a repository nor somebody's archive."""
    everything = [*DEPENDENCIES.items(), *PEERS.items()]
    assert [name for name, entry in everything if "resolved" in entry or "link" in entry] == []


def test_no_node_package_runs_anything_while_it_is_installed() -> None:
    """Nor tells anybody: package.json puts an empty package in the place of swagger-ui-dist's telemetry."""
    assert [name for name, entry in DEPENDENCIES.items() if "hasInstallScript" in entry] == []
