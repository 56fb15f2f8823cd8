"""The Supabase CLI as it talks: its answer on one stream, what it tells people on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import migrations
from local.docker import Supabase
from local.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

STATUS = """{
  "API_URL": "http://127.0.0.1:54321", "DB_URL": "postgresql://localhost", "JWT_SECRET": "jwt",
  "PUBLISHABLE_KEY": "sb_publishable_x", "SECRET_KEY": "sb_secret_x"
}"""
STOPPED = "Stopped services: [supabase_imgproxy_fersk supabase_pooler_fersk]"


def cli(directory: Path, script: str) -> Path:
    program = directory / "supabase"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    return program


def test_a_status_with_stopped_services_is_read(tmp_path: Path) -> None:
    fake = cli(
        tmp_path, f"echo '{STOPPED}' >&2; echo \"$@\" > '{tmp_path}/asked'; cat <<'END'\n{STATUS}\nEND"
    )
    assert Supabase.read(cli=fake) == Supabase(
        "http://127.0.0.1:54321", "postgresql://localhost", "sb_publishable_x", "sb_secret_x", "jwt"
    )
    assert (tmp_path / "asked").read_text(encoding="utf-8").startswith("status --output json --workdir=")


def test_an_answer_is_what_stands_on_standard_output_alone(tmp_path: Path) -> None:
    assert migrations.supabase("status", cli=cli(tmp_path, "echo answer; echo remark >&2")) == "answer\n"


def test_a_failure_is_told_with_both_streams(tmp_path: Path) -> None:
    fake = cli(tmp_path, "echo applying; echo 'no such database' >&2; exit 3")
    with pytest.raises(StackError) as refused:
        migrations.supabase("db", "push", cli=fake)
    assert str(refused.value) == "supabase db push failed:\napplying\nno such database"
