"""`.env.example` and `Settings` name the same variables, and a process without them does not start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from _shared.settings import Settings
from tests.unit.functions.fakes import ENVIRONMENT, SECRETS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
LINE = re.compile(r"(?P<name>[A-Z][A-Z_]*)=(?P<value>.*)")


def read_example() -> dict[str, tuple[str, str]]:
    """Give (comment, value) by variable; the comment is what stands right above."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif match := LINE.fullmatch(line):
            found[match["name"]] = (" ".join(comment), match["value"])
            comment = []
        else:
            assert line == "", f"neither comment nor variable: {line}"
            comment = []
    return found


def variables() -> dict[str, bool]:
    """Give whether it is required, by variable."""
    return {str(field.validation_alias): field.is_required() for field in Settings.model_fields.values()}


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(read_example()) == set(variables())


def test_each_variable_has_a_comment_and_no_value() -> None:
    assert [name for name, (comment, _) in read_example().items() if not comment] == []
    assert [name for name, (_, value) in read_example().items() if value] == []


def test_comments_say_what_is_required_and_what_the_default_is() -> None:
    example = read_example()
    for field in Settings.model_fields.values():
        comment = example[str(field.validation_alias)][0]
        if field.is_required():
            assert "Required" in comment, field.validation_alias
        elif field.default is not None:
            assert f"Default: {field.default}" in comment, field.validation_alias
        else:
            assert "Required" not in comment, field.validation_alias


def import_main(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in variables()}
    return subprocess.run(
        [sys.executable, "-c", "import main; print(sorted(main.__all__))"],
        cwd=ROOT / "functions",
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_the_required_variables_a_function_starts() -> None:
    started = import_main(ENVIRONMENT)
    assert (started.returncode, started.stderr) == (0, "")
    assert "health" in started.stdout


@pytest.mark.parametrize("name", [name for name, required in variables().items() if required])
def test_without_one_it_does_not_and_names_it(name: str) -> None:
    refused = import_main({key: value for key, value in ENVIRONMENT.items() if key != name})
    assert refused.returncode == 1
    assert f"SettingsError: wrong environment (see .env.example): {name}: missing" in refused.stderr
    assert [secret for secret in SECRETS if secret in refused.stderr] == []
