"""The page on onboarding, command by command, on a stack of its own; then whoever it names signs in."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from local.requirements import ROOT
from tests.support import documents
from tests.support.people import sign_in, try_to_sign_in
from tests.support.stacks import own_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack
    from tests.support.people import Session

PAGE = ROOT / "docs" / "howto" / "onboard.md"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with own_stack(tmp_path_factory, "onboarding") as stack:
        yield stack


def commands() -> list[str]:
    """Give the page's commands for the local stack, without their comments."""
    local = [block for block in documents.blocks(PAGE) if (block.language, block.mark) == ("sh", "parsed")]
    return [
        shlex.join(shlex.split(line, comments=True)) for block in local for line in block.code.splitlines()
    ]


def run(command: str, stack: Stack) -> subprocess.CompletedProcess[str]:
    """Run what make would run, on this stack."""
    assert command.startswith("make onboard ")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "--assume-old=setup", *shlex.split(command)[1:]],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = told.stdout[told.stdout.index(".venv/bin/python -m tools.onboard") :].replace("\\\n", " ").strip()
    return subprocess.run(
        [*shlex.split(line), f"--state-dir={stack.instance.state_dir}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def read(stack: Stack, person: Session, query: str) -> Any:
    answer = httpx.get(f"{stack.rest_url}/{query}", headers=person.headers, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_page_does_what_it_says(own: Stack) -> None:
    dry, write, again = commands()
    assert "DRY_RUN=1" in dry
    told = run(dry, own)
    assert (told.returncode, "would be added" in told.stdout) == (0, True), told.stderr
    assert try_to_sign_in(own, "leder@stemmen.example").status_code == 400
    written = run(write, own)
    assert written.returncode == 0, written.stderr
    assert "7 people get a sign-in" in written.stdout
    repeated = run(again, own)
    assert repeated.returncode == 0, repeated.stderr
    assert "nothing to do: all of it is there" in repeated.stdout

    admin = sign_in(own, "leder@stemmen.example")
    chapters = read(
        own, admin, "chapter_stats?select=activity_count,chapters(name)&order=activity_count.desc"
    )
    assert {row["chapters"]["name"]: row["activity_count"] for row in chapters} == {
        "Stemmen Bergen": 6,
        "Stemmen Hamar": 4,
        "Stemmen Oslo": 8,
        "Stemmen Voss": 6,
    }
    coordinator = sign_in(own, "olav@stemmen.example")
    seen = read(own, coordinator, "chapter_stats?select=chapters(name)")
    assert {row["chapters"]["name"] for row in seen} == {"Stemmen Hamar", "Stemmen Oslo"}
    mentor = sign_in(own, "anne@stemmen.example")
    (mine,) = read(own, mentor, "peer_mentor_stats?select=activity_count,last_activity_date")
    assert mine == {"activity_count": 6, "last_activity_date": "2025-12-07"}


def test_a_folder_with_problems_names_them_and_ends_badly(own: Stack, tmp_path: Path) -> None:
    (tmp_path / "organization.csv").write_text("slug,name\nwrong-one,\n", encoding="utf-8")
    refused = run(f"make onboard DIR={tmp_path}", own)
    assert refused.returncode == 1
    assert f"{tmp_path}/organization.csv:2: name is missing" in refused.stderr.splitlines()
    assert refused.stderr.splitlines()[-1].endswith("problems: nothing was written")
    nowhere = run(f"make onboard DIR={tmp_path}/nowhere", own)
    assert (nowhere.returncode, "is no folder: name one with DIR=…" in nowhere.stderr) == (1, True)
    unnamed = run("make onboard DIR=", own)
    assert (unnamed.returncode, "“” is no folder: name one with DIR=…" in unnamed.stderr) == (1, True)


@pytest.mark.parametrize(("more", "is_invited"), [("", True), ("MAIL=no", False)])
def test_sign_ins_are_made_by_an_auth_server(
    own: Stack, tmp_path: Path, more: str, *, is_invited: bool
) -> None:
    """The local one, as a project's is asked."""
    folder = tmp_path / "folder"
    shutil.copytree(ROOT / "examples" / "onboarding", folder)
    slug = "invited" if is_invited else "made"
    for file in folder.iterdir():
        text = (
            file.read_text(encoding="utf-8").replace("@stemmen.", f"@{slug}.").replace("stemmen,", f"{slug},")
        )
        file.write_text(text, encoding="utf-8")
    half_done = {"email": f"anne@{slug}.example"}  # by a run that was stopped right after
    key = {"apikey": own.secret_key}
    httpx.post(f"{own.auth_url}/invite", json=half_done, headers=key, trust_env=False).raise_for_status()
    project = f"DB={own.db_url} URL={own.api_url} KEY={own.secret_key}"
    done = run(f"make onboard DIR={folder} {project} {more}", own)
    assert done.returncode == 0, done.stderr
    assert f"7 people get {'an invitation by mail' if is_invited else 'a sign-in'}" in done.stdout
    assert "password" not in done.stdout
    with psycopg.connect(own.db_url) as owner:
        people = owner.execute(
            "select count(*), count(invited_at), count(email_confirmed_at), count(p.id) "
            "from auth.users u join public.organizations o on o.id::text = u.raw_app_meta_data ->> 'org_id' "
            "join public.profiles p on p.id = u.id where o.slug = %s",
            [slug],
        ).fetchone()
    assert people == ((7, 7, 0, 7) if is_invited else (7, 1, 6, 7))
    assert "nothing to do" in run(f"make onboard DIR={folder} {project} {more}", own).stdout
