"""The lists of Python packages install with any installer, and go on doing so when newer versions appear."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from local.requirements import INSTALLER_LOCK, NODE_RUNTIME_LOCK, PYTHON_LOCK, ROOT, uv_program

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS_LOCK = ROOT / "functions" / "requirements.txt"
LISTS = (FUNCTIONS_LOCK, PYTHON_LOCK, INSTALLER_LOCK, NODE_RUNTIME_LOCK)
# Debian's pip of the Python at hand, the oldest that a platform of ours ships, and a new one.
OLDEST = "23.0.1" if sys.version_info < (3, 12) else "25.1.1"
NEWEST = "26.3"
PIPS = {
    "23.0.1": "236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f",
    "25.1.1": "2913a38a2abf4ea6b64ab507bd9e967f3b53dc1ede74b01b0931e1ce548751af",
    "26.3": "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
}


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}
    return subprocess.run(
        [str(part) for part in command],
        env={**known, "UV_SYSTEM_CERTS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def environment_with(directory: Path, pip: str) -> Path:
    """Make a virtual environment with that pip; returns its Python."""
    python = directory / "bin" / "python"
    uv = uv_program()
    assert uv is not None
    wanted = directory.with_suffix(".txt")
    wanted.write_text(f"pip=={pip} --hash=sha256:{PIPS[pip]}\n", encoding="utf-8")
    for command in (
        (uv, "venv", "--quiet", "--python", sys.executable, directory),
        (uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", wanted),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    return python


def make_wheel(folder: Path, name: str, version: str, *metadata: str) -> str:
    """Write a package without contents; returns its line in a list."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
    contents = {
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        f"{len(text)}"
        for path, text in contents.items()
    ]
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return f"{version} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Path, str, str]:
    """Give a folder with `base` 1.0 and 2.0 and with `asker`, which asks for base[extra]; and their pins."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    base = make_wheel(folder, "base", "1.0", "Provides-Extra: extra")
    make_wheel(folder, "base", "2.0", "Provides-Extra: extra")
    asker = make_wheel(folder, "asker", "1.0", "Requires-Dist: base[extra]>=1.0")
    return folder, base, asker


@pytest.mark.parametrize("pip", [OLDEST, NEWEST])
def test_a_pin_need_not_be_the_newest_where_the_list_keeps_the_extra(
    tmp_path: Path, shelf: tuple[Path, str, str], pip: str
) -> None:
    folder, base, asker = shelf
    python = environment_with(tmp_path / "environment", pip)
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"base[extra]=={base}\nasker=={asker}\n", encoding="utf-8")
    options = ("--no-index", "--find-links", folder, "--require-hashes", "-r", wanted)
    done = run(python, "-m", "pip", "install", *options)
    assert done.returncode == 0, done.stderr
    assert "base-1.0" in done.stdout


@pytest.mark.skipif(
    OLDEST != "23.0.1", reason="that pip does not run on this Python, and newer ones are mended"
)
def test_without_the_extra_an_old_pip_wants_the_newest(tmp_path: Path, shelf: tuple[Path, str, str]) -> None:
    folder, base, asker = shelf
    python = environment_with(tmp_path / "environment", "23.0.1")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"base=={base}\nasker=={asker}\n", encoding="utf-8")
    options = ("--no-index", "--find-links", folder, "--require-hashes", "-r", wanted)
    done = run(python, "-m", "pip", "install", *options)
    assert done.returncode == 1
    assert "In --require-hashes mode, all requirements must have their versions pinned with ==" in done.stderr
    assert "base[extra]>=1.0" in done.stderr


def test_uv_takes_the_same_list(tmp_path: Path, shelf: tuple[Path, str, str]) -> None:
    folder, base, asker = shelf
    uv = uv_program()
    assert uv is not None
    python = environment_with(tmp_path / "environment", NEWEST)
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"base[extra]=={base}\nasker=={asker}\n", encoding="utf-8")
    options = ("--no-index", "--find-links", folder, "--require-hashes", "-r", wanted)
    done = run(uv, "pip", "install", "--python", python, *options)
    assert done.returncode == 0, done.stderr
    assert "base==1.0" in done.stderr


@pytest.mark.parametrize("pip", [OLDEST, NEWEST])
def test_what_is_deployed_installs(tmp_path: Path, pip: str) -> None:
    python = environment_with(tmp_path / "environment", pip)
    done = run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", FUNCTIONS_LOCK)
    assert done.returncode == 0, done.stderr
    imported = run(python, "-c", "import functions_framework, supabase, jwt, standardwebhooks, uvloop")
    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.name)
def test_a_list_names_no_address(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text
