"""The gateway's own unit tests, which are in its language."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.requirements import node_program

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_passes(file: Path) -> None:
    done = subprocess.run(
        [str(node_program()), "--test", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
