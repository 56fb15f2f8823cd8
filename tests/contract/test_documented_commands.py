"""Every `supabase …` and `make …` that the documentation names exists and aims where the page says.

The CLI itself parses each command, with one more flag whose value is wrong and which it looks at last: so it
complains of the command, or else of that flag, and never runs anything.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from local.migrations import CLI
from local.requirements import ROOT, node_directory
from tests.support import documents

if TYPE_CHECKING:
    from pathlib import Path

LAST_LOOKED_AT = "--log-level=nonsense"
LAST_COMPLAINT = 'Invalid value for flag --log-level: "nonsense"'
HOSTED_OR_LOCAL = "--remote[=<ref|branch|url>]"
COMMAND = re.compile(r"(?:npx )?supabase(?: |$)")
LANGUAGES = {"sh", "sql", "json", "python", "dart", "mermaid", "text"}
MARKS = {"", "parsed", "hosted"}


@dataclass(frozen=True)
class Command:
    """What is documented, and where; `hosted` is None where the page leaves it open."""

    place: str
    text: str
    hosted: bool | None

    @property
    def arguments(self) -> list[str]:
        """The words after `supabase`, placeholders filled in."""
        words = shlex.split(re.sub(r"<[^>]+>|…", "placeholder", self.text), comments=True)
        return words[words.index("supabase") + 1 :]

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.place} {self.text}"


def in_block(block: documents.Block) -> list[Command]:
    lines = block.code.replace("\\\n", " ").splitlines()
    commands = (line.strip() for line in lines if COMMAND.match(line.strip()))
    return [Command(str(block), command, block.mark == "hosted") for command in commands]


def in_prose(place: str, text: str) -> list[Command]:
    """What is named in prose is hosted or local where its line says so."""
    hosted = True if "hosted" in text else False if "local" in text else None
    return [Command(place, code, hosted) for code in documents.inline(text) if COMMAND.match(code)]


def in_comments(file: Path) -> list[Command]:
    numbered = enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    comments = [(number, line.partition("#")[2]) for number, line in numbered]
    return [
        command
        for number, text in comments
        for command in in_prose(f"{file.relative_to(ROOT)}:{number}", text)
    ]


def documented() -> list[Command]:
    found = [
        command for page in documents.PAGES for block in documents.blocks(page) for command in in_block(block)
    ]
    for page in documents.PAGES:
        for number, line in documents.prose(page):
            found += in_prose(f"{page.relative_to(ROOT)}:{number}", line)
    for file in (ROOT / "supabase" / "config.toml", ROOT / "Makefile"):
        found += in_comments(file)
    return found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the pinned CLI where there is no project, so that no command finds anything to work on."""
    node = node_directory()
    assert node
    return subprocess.run(
        [CLI, *arguments],
        cwd="/",
        env={**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}", "DO_NOT_TRACK": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def said(*arguments: str) -> str:
    """Give all that the CLI prints; help and complaints are not always on the same side."""
    done = run(*arguments)
    return done.stdout + done.stderr


@cache
def help_of(arguments: tuple[str, ...]) -> str:
    return said(*arguments, "--help")


def mistakes(command: Command) -> list[str]:
    """Say what is wrong with a command: what the parser says, and flags that are on their way out."""
    answer = said(*command.arguments, LAST_LOOKED_AT)
    if LAST_COMPLAINT not in answer:
        return [line for line in answer.splitlines() if re.match("(Un|Missing|Invalid)", line)] or [answer]
    page = help_of(tuple(command.arguments))
    flags = [word.partition("=")[0] for word in command.arguments if word.startswith("--")]
    found = [f"{flag} is not in the help: deprecated" for flag in flags if not re.search(rf"{flag}\b", page)]
    if HOSTED_OR_LOCAL in page:
        if command.hosted is None:
            found.append("the page does not say whether it is about a hosted project or the local stack")
        elif command.hosted != ("--remote" in flags):
            aim = "a hosted project" if command.hosted else "the local stack"
            found.append(f"is about {aim} and goes to the other")
    return found


def test_commands_are_found_where_they_stand() -> None:
    found = {(command.place.partition(":")[0], " ".join(command.arguments)) for command in documented()}
    assert {
        ("README.md", "start"),
        ("docs/howto/deploy.md", "db push --remote"),
        ("supabase/config.toml", "start"),
    } <= found


@pytest.mark.parametrize("command", documented(), ids=str)
def test_the_command_parses_and_goes_where_the_page_says(command: Command) -> None:
    assert mistakes(command) == []


@pytest.mark.parametrize(
    ("text", "hosted", "mistake"),
    [
        ("supabase db push --linkedx", True, "Unrecognized flag: --linkedx in command supabase db push"),
        ("supabase db pushx", True, 'Unknown subcommand "pushx" for "supabase db"'),
        ("supabase db push everything", True, 'Unexpected positional argument: "everything"'),
        ("supabase link --project-ref", True, "Missing value for flag --project-ref. Expected: string"),
        ("supabase db push --linked", True, "--linked is not in the help: deprecated"),
        ("supabase db push", True, "is about a hosted project and goes to the other"),
        ("supabase db push --remote", False, "is about the local stack and goes to the other"),
        (
            "supabase db push",
            None,
            "the page does not say whether it is about a hosted project or the local stack",
        ),
    ],
)
def test_a_wrong_command_is_caught(text: str, hosted: bool | None, mistake: str) -> None:  # noqa: FBT001
    assert mistake in mistakes(Command("", text, hosted))


@pytest.mark.parametrize(
    ("text", "hosted"),
    [
        ("npx supabase db push --remote", True),
        ("npx supabase db push --remote=<ref> --dry-run  # look first", True),
        ("supabase db push --include-seed", False),
        ("supabase link --project-ref <ref>", True),
        ("supabase status --output json", False),
    ],
)
def test_a_right_command_passes(text: str, hosted: bool) -> None:  # noqa: FBT001
    assert mistakes(Command("", text, hosted)) == []


UNREACHABLE = "--remote=postgresql://postgres@127.0.0.1:1/postgres"


def read_configuration(project: Path) -> str:
    """Have the CLI read `config.toml`: it refuses the file, or gets to a database that is not there."""
    return said("db", "push", "--dry-run", UNREACHABLE, f"--workdir={project}")


def test_the_cli_accepts_our_configuration() -> None:
    assert "failed to connect to postgres" in read_configuration(ROOT)
    services = json.loads(run("services", "--output", "json", f"--workdir={ROOT}").stdout)
    (image,) = (service["local"] for service in services if service["name"] == "supabase/postgres")
    assert image.startswith("17."), "the platform's Postgres, as config.toml asks for it"


def test_the_cli_refuses_a_wrong_configuration(tmp_path: Path) -> None:
    ours = (ROOT / "supabase" / "config.toml").read_text(encoding="utf-8")
    (tmp_path / "supabase").mkdir()
    wrong = ours.replace("major_version = 17", "major_version = 12")
    assert wrong != ours
    (tmp_path / "supabase" / "config.toml").write_text(wrong, encoding="utf-8")
    assert "Postgres version 12.x is unsupported" in read_configuration(tmp_path)


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))


def named_targets(text: str) -> list[str]:
    return re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)


def test_every_make_target_that_is_named_exists() -> None:
    named = {
        f"{page.relative_to(ROOT)}: make {target}"
        for page in documents.PAGES
        for target in named_targets(page.read_text(encoding="utf-8"))
    }
    assert "README.md: make start" in named
    assert [name for name in named if name.rpartition(" ")[2] not in targets()] == []


def test_every_block_says_what_it_is() -> None:
    every = [block for page in documents.PAGES for block in documents.blocks(page)]
    assert every
    assert [str(block) for block in every if block.language not in LANGUAGES or block.mark not in MARKS] == []
