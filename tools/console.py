"""`python -m tools.console URL KEY`: the console as files to deploy beside a project, in build/console.

Any web server serves them, under any path: every address in them is relative.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING

from local.requirements import NODE_MODULES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = ROOT / "console"
TARGET = ROOT / "build" / "console"
PROJECT = re.compile(r"https?://[^/?#\s]+")
# The new kind, or the legacy anon key, which is a JWT. A secret key would open everything to everybody.
PUBLISHABLE = re.compile(r"sb_publishable_\S+|eyJ[\w-]+\.[\w-]+\.[\w-]+")


def build(url: str, key: str, target: Path = TARGET) -> None:
    """Write the console for one project.

    url : of the project, without a path.
    key : its publishable key.

    Raises ValueError for what is neither.
    """
    if not PROJECT.fullmatch(url):
        raise ValueError("URL must be the address of the project, such as https://abcdefgh.supabase.co")
    if not PUBLISHABLE.fullmatch(key):
        raise ValueError("KEY must be the project's publishable key; the secret key never goes to a browser")
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("vendor.json"))
    (target / "vendor").mkdir()
    libraries: dict[str, str] = json.loads((SOURCE / "vendor.json").read_text(encoding="utf-8"))
    for name, file in libraries.items():
        shutil.copyfile(NODE_MODULES / file, target / "vendor" / name)
    settings = {"supabase_url": url, "publishable_key": key}
    (target / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def main() -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make console", description="Write the console to build/console.")
    parser.add_argument("url", help="of the project")
    parser.add_argument("key", help="its publishable key")
    arguments = parser.parse_args()
    try:
        build(arguments.url, arguments.key)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{TARGET.relative_to(ROOT)}: serve these files as they are, under any address")
    return 0


if __name__ == "__main__":
    sys.exit(main())
