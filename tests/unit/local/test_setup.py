"""What is asked of the machine, and what is told when it cannot be installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local import install, requirements
from local.docker import Supabase
from local.errors import StackError
from local.migrations import without_password

if TYPE_CHECKING:
    from pathlib import Path


def test_without_root_the_missing_packages_and_the_command_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {"postgresql-15": tmp_path / "postgres", "postgresql-15-cron": requirements.PYTHON_LOCK}
    monkeypatch.setattr(requirements, "PACKAGE_FILES", files)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(install.SetupError) as refused:
        install.install_system_packages()
    assert str(refused.value).endswith(
        "  sudo apt-get update\n  sudo apt-get install --yes --no-install-recommends postgresql-15"
    )


def test_nothing_missing_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "PACKAGE_FILES", {"postgresql-15": requirements.PYTHON_LOCK})
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    install.install_system_packages()


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


def test_a_password_leaves_the_url_decoded() -> None:
    url, password = without_password("postgresql://postgres:a%2Fb@127.0.0.1:54322/postgres")
    assert (url, password) == ("postgresql://postgres@127.0.0.1:54322/postgres", "a/b")


def test_a_status_without_a_key_is_refused_by_name() -> None:
    values = dict.fromkeys(("API_URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY", "JWT_SECRET"), "value")
    assert Supabase.from_status(values).secret_key == "value"
    with pytest.raises(StackError, match="`supabase status` does not tell SECRET_KEY, JWT_SECRET"):
        Supabase.from_status({**values, "SECRET_KEY": "", "JWT_SECRET": ""})
