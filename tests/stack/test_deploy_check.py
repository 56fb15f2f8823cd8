"""`make deploy-check` finds a project as it should be, and names each part that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from local.errors import StackError
from tools import deploy_check

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack

OTHER = "whsec_" + "B" * 32


def values(stack: Stack) -> dict[str, str]:
    return {
        "SUPABASE_URL": stack.api_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "SUPABASE_JWT_SECRET": stack.instance.secrets.jwt_secret,
        "FERSK_WEBHOOK_SECRET": stack.webhook_secret,
        "FERSK_FUNCTIONS_URL": stack.functions_url,
        "SUPABASE_DB_URL": stack.db_url,
    }


def to_do(folder: Path, given: dict[str, str]) -> tuple[int, dict[str, str]]:
    file = folder / "deploy.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in given.items()), encoding="utf-8")
    found = list(deploy_check.check(deploy_check.read_target(file)))
    return len(found), {what: hint for what, hint in found if hint}


def test_a_project_as_it_should_be_has_nothing_to_do(stack: Stack, tmp_path: Path) -> None:
    checks, found = to_do(tmp_path, values(stack))
    assert found == {}
    assert checks > 20


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"SUPABASE_PUBLISHABLE_KEY": "sb_publishable_of_another_project"},
            {"the publishable key is known": "HTTP 401. SUPABASE_URL or SUPABASE_PUBLISHABLE_KEY is wrong"},
            id="publishable-key",
        ),
        pytest.param(
            {"SUPABASE_SECRET_KEY": "sb_secret_of_another_project"},
            {"the secret key is known, and Fersk is installed": "HTTP 401. SUPABASE_SECRET_KEY is wrong"},
            id="secret-key",
        ),
        pytest.param(
            {"FERSK_WEBHOOK_SECRET": OTHER},
            {
                "they take a signed webhook": "HTTP 401. FERSK_WEBHOOK_SECRET is another one there",
                "it has this fersk_webhook_secret": "select private.set_secret('fersk_webhook_secret', '…')",
            },
            id="webhook-secret",
        ),
        pytest.param(
            {"SUPABASE_JWKS_URL": "{auth}/.well-known/jwks.json"},
            {
                "one way to verify tokens": "both are in force: "
                "unset SUPABASE_JWT_SECRET once the secret is revoked",
            },
            id="two-verifiers",
        ),
        pytest.param(
            {"SUPABASE_JWKS_URL": "{auth}/.well-known/jwks.json", "SUPABASE_JWT_SECRET": ""},
            {
                "there is a public key to verify tokens with": "no key at SUPABASE_JWKS_URL: "
                "the project signs with its legacy secret; set SUPABASE_JWT_SECRET",
            },
            id="no-public-key",
        ),
    ],
)
def test_what_is_wrong_is_named(
    stack: Stack, tmp_path: Path, changes: dict[str, str], expected: dict[str, str]
) -> None:
    given = values(stack) | {name: value.replace("{auth}", stack.auth_url) for name, value in changes.items()}
    found = to_do(tmp_path, given)[1]
    assert {what: hint for what, hint in found.items() if what in expected} == expected
    # a wrong publishable key is also none for what strangers may read
    assert set(found) - set(expected) <= {"nothing is open to strangers"}


def test_a_schedule_that_is_off_is_named_with_its_remedy(stack: Stack, tmp_path: Path) -> None:
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        turn = (
            "select cron.alter_job(jobid, active := %s) from cron.job where jobname = 'fersk-nightly-audit'"
        )
        connection.execute(turn, [False])
        try:
            found = to_do(tmp_path, values(stack))[1]
        finally:
            connection.execute(turn, [True])
    (hint,) = found.values()
    assert "schedule fersk-nightly-audit is switched off: select cron.alter_job(" in hint


def test_functions_that_are_not_there_are_named(stack: Stack, tmp_path: Path) -> None:
    found = to_do(tmp_path, values(stack) | {"FERSK_FUNCTIONS_URL": f"{stack.api_url}/nowhere"})[1]
    assert found["the functions reach the database"].startswith("HTTP 404")
    assert {f"/{slug} is there, for browsers too" for slug in ("health", "hierarchy-stats")} <= found.keys()


def test_a_server_that_does_not_answer_is_named(stack: Stack, tmp_path: Path) -> None:
    given = values(stack) | {"SUPABASE_URL": "http://127.0.0.1:9"}
    del given["SUPABASE_DB_URL"]
    assert to_do(tmp_path, given) == (1, {"127.0.0.1 answers": "ConnectError"})


def test_a_file_that_lacks_something_is_refused_by_name(tmp_path: Path, stack: Stack) -> None:
    given = values(stack)
    del given["SUPABASE_SECRET_KEY"]
    with pytest.raises(StackError, match=r"\(see \.env\.example\): SUPABASE_SECRET_KEY: missing$") as refused:
        to_do(tmp_path, given)
    assert stack.webhook_secret not in str(refused.value)
    with pytest.raises(StackError, match=r"copy \.env\.example"):
        deploy_check.read_target(tmp_path / "none.env")
