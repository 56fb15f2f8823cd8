"""What is asked of the machine, and what is told when it cannot be installed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from local import cluster, install, postgres, requirements
from local.config import Instance, Ports, open_instance
from local.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path


def lay(directory: Path, monkeypatch: pytest.MonkeyPatch, *majors: int) -> None:
    """Pretend that these PostgreSQL are installed, and no other."""
    monkeypatch.setattr(postgres, "ROOT", directory / "lib")
    monkeypatch.setattr(postgres, "SHARE", directory / "share")
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    for major in majors:
        for file in postgres.package_files(major).values():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()


def test_without_root_the_missing_packages_and_the_command_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay(tmp_path, monkeypatch, 15)
    monkeypatch.setenv(postgres.VARIABLE, "15")
    monkeypatch.setattr(requirements, "TOOL_FILES", {})
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    install.install_system_packages()  # nothing is missing
    postgres.package_files(15)["postgresql-15-cron"].unlink()
    with pytest.raises(install.SetupError) as refused:
        install.install_system_packages()
    assert str(refused.value).endswith(
        "  sudo apt-get update\n  sudo apt-get install --yes --no-install-recommends postgresql-15-cron"
    )


def test_a_browser_is_asked_for_by_tests_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay(tmp_path, monkeypatch, 15)
    monkeypatch.setenv(postgres.VARIABLE, "15")
    monkeypatch.setattr(requirements, "TOOL_FILES", {})
    browser = tmp_path / "chromium"
    monkeypatch.setattr(requirements, "TEST_TOOL_FILES", {"chromium": browser})
    assert requirements.missing_packages() == []
    assert requirements.missing_packages(for_tests=True) == ["chromium"]
    browser.touch()
    assert requirements.missing_packages(for_tests=True) == []


def test_what_runs_tests_installs_what_they_need() -> None:
    makefile = (requirements.ROOT / "Makefile").read_text(encoding="utf-8")
    needs = dict(re.findall(r"^([a-z-]+): ([a-z-]+)? ?##", makefile, re.MULTILINE))
    for_tests = {target for target, needed in needs.items() if needed == "setup-tests"}
    assert for_tests == {"test", "db", "test-stack", "screenshots", "bench-screens"}
    assert {needs["start"], needs["demo"], needs["unit"]} == {"setup", "start"}


def test_a_system_without_apt_is_told_what_is_missing_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay(tmp_path, monkeypatch)
    monkeypatch.setenv(postgres.VARIABLE, "17")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(install.SetupError, match="this system has no apt-get: use Debian 12") as refused:
        install.install_system_packages()
    assert "postgresql-17-pgextwlist" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_newest_installed_postgres_is_used_or_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay(tmp_path, monkeypatch, 15, 17)
    assert (postgres.chosen(), postgres.installed()) == (17, [17, 15])
    monkeypatch.setenv(postgres.VARIABLE, "15")
    assert postgres.program("psql") == str(tmp_path / "lib/15/bin/psql")
    for wanted, message in (
        ("16", "PostgreSQL 16 is not installed: run `make setup PG=16`"),
        ("14", "PG=14: supported versions of PostgreSQL are 15, 16, 17, 18"),
    ):
        monkeypatch.setenv(postgres.VARIABLE, wanted)
        with pytest.raises(StackError) as refused:
            postgres.chosen()
        assert str(refused.value) == message


def test_a_stack_keeps_the_postgres_that_wrote_its_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay(tmp_path / "machine", monkeypatch, 15, 17)
    instance, _ = open_instance(tmp_path / "state", Ports())
    monkeypatch.setattr(Instance, "data", tmp_path / "data")
    assert cluster.major_version(instance) == 17
    instance.data.mkdir()
    (instance.data / "PG_VERSION").write_text("15\n", encoding="ascii")
    assert cluster.major_version(instance) == 15
    monkeypatch.setenv(postgres.VARIABLE, "17")
    with pytest.raises(StackError, match="written by PostgreSQL 15: `make reset PG=17` throws them away"):
        cluster.major_version(instance)
    monkeypatch.delenv(postgres.VARIABLE)
    (instance.data / "PG_VERSION").write_text("16\n", encoding="ascii")
    with pytest.raises(StackError, match="PostgreSQL 16, which is not installed any more"):
        cluster.major_version(instance)


def test_an_installation_is_current_for_the_files_it_was_made_from_only(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("one", encoding="utf-8")
    fingerprint = requirements.fingerprint_of(lock)
    assert requirements.is_current(tmp_path, fingerprint) is False
    requirements.mark_current(tmp_path, fingerprint)
    assert requirements.is_current(tmp_path, fingerprint) is True
    lock.write_text("two", encoding="utf-8")
    assert requirements.is_current(tmp_path, requirements.fingerprint_of(lock)) is False


def test_the_npm_lock_pins_every_package_and_holds_no_address() -> None:
    wanted = json.loads((requirements.ROOT / "package.json").read_text(encoding="utf-8"))
    versions = [
        version
        for kind in ("dependencies", "optionalDependencies", "devDependencies")
        for version in wanted[kind].values()
    ]
    assert all(version[0].isdigit() for version in versions)
    assert "://" not in "".join(
        line
        for line in requirements.NPM_LOCK.read_text(encoding="utf-8").splitlines()
        if '"resolved"' in line or '"integrity"' in line
    )
