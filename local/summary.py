"""What a start ends with: addresses, keys, sign-ins, and a call to try."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from local.database import SignIn
    from local.stack import Stack

SHOWN_ACCOUNTS = 3
PASSWORD = "password"  # noqa: S105 - of the seeded accounts, for local use only


def show(stack: Stack, console: Console) -> None:
    """Print the summary; long values are never cut or wrapped, so that they can be copied."""
    accounts = stack.sign_ins()
    console.print()
    console.out(f"Console: {stack.api_url}/", highlight=False)
    _print_pairs(addresses(stack), console)
    if not accounts:
        console.print("\nNo accounts: the seed was not loaded.")
        return
    console.print(f"\n[bold]Sign-ins[/bold] (password: {PASSWORD})")
    for line in _account_lines(accounts):
        console.out(line, highlight=False)
    caller = max(accounts, key=lambda account: (account.role == "coordinator", account.chapters))
    console.print(f"\n[bold]Try it[/bold]: what {caller.email} sees of the chapters' statistics")
    console.out(example_call(stack, caller.email), highlight=False)


def addresses(stack: Stack) -> dict[str, str]:
    """Addresses and keys, under the names that `supabase status` uses."""
    return {
        "API URL": stack.api_url,
        "REST URL": stack.rest_url,
        "Auth URL": stack.auth_url,
        "Functions URL": stack.functions_url,
        "DB URL": stack.db_url,
        "Publishable key": stack.publishable_key,
        "Secret key": stack.secret_key,
        "JWT secret": stack.jwt_secret,
        "anon key": stack.anon_key,
        "service_role key": stack.service_role_key,
    }


def example_call(stack: Stack, email: str) -> str:
    """Shell commands that sign in and read statistics with the caller's own token."""
    field = """python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'"""
    return "\n".join(
        [
            f"TOKEN=$(curl -sS '{stack.auth_url}/token?grant_type=password' \\",
            f"  -H 'apikey: {stack.publishable_key}' -H 'content-type: application/json' \\",
            f"""  -d '{{"email":"{email}","password":"{PASSWORD}"}}' | {field})""",
            f"curl -sS '{stack.rest_url}/chapter_stats?limit=5' \\",
            f"""  -H 'apikey: {stack.publishable_key}' -H "authorization: Bearer $TOKEN\"""",
        ]
    )


def _print_pairs(pairs: dict[str, str], console: Console) -> None:
    width = max(map(len, pairs))
    for name, value in pairs.items():
        console.out(f"{name:>{width}}: {value}", highlight=False)


def _account_lines(accounts: list[SignIn]) -> Iterator[str]:
    """Give a line for each organisation and role, with the first few addresses."""
    width = max(len(account.organization) for account in accounts)
    for (organization, role), group in groupby(
        accounts, key=lambda account: (account.organization, account.role)
    ):
        emails = [account.email for account in group]
        more = f", … ({len(emails)} in all)" if len(emails) > SHOWN_ACCOUNTS else ""
        yield f"{organization:<{width}}  {role:<11}  {', '.join(emails[:SHOWN_ACCOUNTS])}{more}"
