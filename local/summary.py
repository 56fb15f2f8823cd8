"""What a start ends with: addresses, keys, sign-ins, and a call to try."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from local.stack import Stack

SHOWN_ACCOUNTS = 3
PASSWORD = "password"  # noqa: S105 - of the seeded accounts, for local use only


def show(stack: Stack, console: Console) -> None:
    """Print the summary; long values are never cut or wrapped, so that they can be copied."""
    lines = ["", f"Console: {stack.api_url}/"]
    # Under the names that `supabase status` uses.
    addresses = {
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
    lines += [f"{name:>{max(map(len, addresses))}}: {value}" for name, value in addresses.items()]
    accounts = stack.sign_ins()
    if accounts:
        lines += ["", f"Sign-ins (password: {PASSWORD})"]
        width = max(len(account.organization) for account in accounts)
        for (organization, role), group in groupby(accounts, key=lambda a: (a.organization, a.role)):
            emails = [account.email for account in group]
            more = f", … ({len(emails)} in all)" if len(emails) > SHOWN_ACCOUNTS else ""
            lines.append(f"{organization:<{width}}  {role:<11}  {', '.join(emails[:SHOWN_ACCOUNTS])}{more}")
        caller = max(accounts, key=lambda account: (account.role == "coordinator", account.chapters))
        lines += ["", f"Try it: what {caller.email} sees of the chapters' statistics"]
        lines.append(example_call(stack, caller.email))
    else:
        lines += ["", "No accounts: the seed was not loaded."]
    console.out("\n".join(lines), highlight=False)


def example_call(stack: Stack, email: str) -> str:
    """Shell commands that sign in and read statistics with the caller's own token."""
    return f"""\
TOKEN=$(curl -sS '{stack.auth_url}/token?grant_type=password' \\
  -H 'apikey: {stack.publishable_key}' -H 'content-type: application/json' \\
  -d '{{"email":"{email}","password":"{PASSWORD}"}}' \
| python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -sS '{stack.rest_url}/chapter_stats?limit=5' \\
  -H 'apikey: {stack.publishable_key}' -H "authorization: Bearer $TOKEN\""""
