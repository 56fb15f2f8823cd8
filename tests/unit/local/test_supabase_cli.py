"""The Supabase CLI as it talks: its answer on one stream, what it tells people on the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local import migrations
from local.errors import StackError
from local.supabase_cli import NEEDED, Supabase

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {name: f"value of {name}" for name in (*NEEDED, "JWT_SECRET")}
STATUS = {
    "docker": json.dumps(VALUES, indent=2),
    "native": "\n".join(f'{name}="{value}"' for name, value in VALUES.items()),
}
STOPPED = "Stopped services: [supabase_imgproxy_fersk supabase_pooler_fersk]"


def cli(directory: Path, script: str) -> Path:
    program = directory / "supabase"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    return program


@pytest.mark.parametrize(
    ("runtime", "asked"),
    [("docker", "status --output json  --workdir="), ("native", "status --env 1 --workdir=")],
)
def test_a_status_with_stopped_services_is_read(tmp_path: Path, runtime: str, asked: str) -> None:
    printed = f"echo '{STOPPED}' >&2; cat <<'END'\n{STATUS[runtime]}\nEND"
    words = 'printf "%s " "$@" | sed "s| --workdir| $SUPABASE_EXPERIMENTAL_STACK --workdir|"'
    fake = Supabase(runtime, cli(tmp_path, f"{words} > {tmp_path}/asked; {printed}"))
    assert fake.status() == VALUES
    assert (tmp_path / "asked").read_text(encoding="utf-8").startswith(asked)


def test_a_status_that_does_not_tell_all_is_refused_by_name(tmp_path: Path) -> None:
    fake = Supabase("native", cli(tmp_path, "echo 'export API_URL=x'; echo DB_URL="))
    with pytest.raises(StackError, match="`supabase status` does not tell DB_URL, PUBLISHABLE_KEY, SECRET"):
        fake.status()


def test_an_answer_is_what_stands_on_standard_output_alone(tmp_path: Path) -> None:
    assert migrations.supabase("status", cli=cli(tmp_path, "echo answer; echo remark >&2")) == "answer\n"


def test_a_failure_is_told_with_both_streams(tmp_path: Path) -> None:
    fake = cli(tmp_path, "echo applying; echo 'no such database' >&2; exit 3")
    with pytest.raises(StackError) as refused:
        migrations.supabase("db", "push", cli=fake)
    assert str(refused.value) == "supabase db push failed:\napplying\nno such database"


def test_a_password_leaves_the_url_decoded() -> None:
    url, password = migrations.without_password("postgresql://postgres:a%2Fb@127.0.0.1:54322/postgres")
    assert (url, password) == ("postgresql://postgres@127.0.0.1:54322/postgres", "a/b")
