"""`make dart-client`: generate clients/dart, a Dart client of the functions, from functions/openapi.json.

By openapi-generator, whose generator `dart` needs no code generation in the app. It is built, not committed.
The generator comes with a Java, in an environment of its own. There is no Dart SDK here: nothing compiles it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from local import command, requirements
from local.errors import StackError
from local.requirements import ROOT
from tools.openapi import FILE, PROJECT

LOCK = ROOT / "tools" / "requirements-dart.txt"
ENVIRONMENT = ROOT / ".venv-dart"
CLIENT = ROOT / "clients" / "dart"


def install() -> None:
    """Install the generator where it is not yet."""
    uv, fingerprint = requirements.uv_program(), requirements.fingerprint_of(LOCK)
    if requirements.is_current(ENVIRONMENT, fingerprint):
        return
    _run(str(uv), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(ENVIRONMENT))
    python = str(ENVIRONMENT / "bin" / "python")
    _run(str(uv), "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(LOCK))
    requirements.mark_current(ENVIRONMENT, fingerprint)


def generate(client: Path) -> int:
    """Write the client into a folder in place of what is there. Returns how many Dart files it has."""
    shutil.rmtree(client, ignore_errors=True)
    names = f"pubName=fersk_functions,pubVersion={PROJECT['version']},pubDescription=The functions of Fersk"
    generator = str(ENVIRONMENT / "bin" / "openapi-generator-cli")
    _run(
        generator,
        "generate",
        "-i",
        str(FILE),
        "-g",
        "dart",
        "-o",
        str(client),
        f"--additional-properties={names}",
    )
    return len(list(client.rglob("*.dart")))


def _run(*line: str) -> None:
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"{Path(line[0]).name} failed:\n{(done.stderr or done.stdout)[-4000:]}")


def main() -> int:
    """Install what is missing, and generate."""
    install()
    print(f"{generate(CLIENT)} files in {CLIENT.relative_to(ROOT)}: add it to pubspec.yaml with `path:`")
    return 0


if __name__ == "__main__":
    raise SystemExit(command.run(main))
