"""A clone of this checkout, with stack and state of its own, in which commands are run as people run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

COPIED = ("local", "tools", "bench", "functions", "supabase", "console", "tests/reference")
LINKED = (".venv", "node_modules", "package.json")
NEED_A_STACK = (
    ("local", "status"),
    ("local", "logs"),
    ("local", "psql", "-c", "select 1"),
    ("local", "functions"),
    ("local", "rollback"),
    ("local", "rollback", "--yes"),
    ("tools.watch", "kari@nhf.example"),
    ("tools.alignment",),
    ("tools.large.seed", "--rows=1"),
    ("tools.onboard", "tests"),
)


@dataclass(frozen=True)
class Clone:
    root: Path

    @classmethod
    def make(cls, root: Path) -> Self:
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__", ".temp", "out", "node_modules")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        for name in LINKED:
            (root / name).symlink_to(ROOT / name)
        return cls(root)

    def command(self, module: str, *words: str) -> list[str]:
        return [sys.executable, "-m", module, *words]

    @property
    def environment(self) -> dict[str, str]:
        """Without what a terminal that sourced another stack's file would add."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("SUPABASE_", "FERSK_", "COLUMNS"))}
        return {**own, "PYTHONPATH": str(self.root / "functions"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, module: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(module, *words),
            cwd=self.root,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
