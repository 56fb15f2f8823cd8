"""docs/reference/functions.md lists every function, its methods and callers, and every error code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from _shared.callers import Anonymous, Service, User, Webhook
from _shared.database.statistics import DatabaseHealth
from _shared.http.endpoint import ENDPOINTS
from _shared.result import ErrorCode
from local.requirements import ROOT
from tests.contract.conftest import APPS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "reference" / "functions.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "howto" / "runbook.md").read_text(encoding="utf-8")
CALLERS = {
    "anyone": Anonymous,
    "webhook": Webhook,
    "secret key": Service,
    "signed-in": User,
    "coordinator": User,
    "org admin": User,
}


def rows(page: str, *heading: str) -> Iterator[list[str]]:
    """The cells of the table with this heading."""
    _, _, table = page.partition(f"| {' | '.join(heading)} |\n")
    for line in table.splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_function_is_listed_with_its_methods_and_callers() -> None:
    listed = {}
    for slug, methods, who, _ in rows(PAGE, "slug", "call", "who", "response"):
        name = slug[2:].partition("`")[0]
        assert f"\n## `{name}`\n" in PAGE
        callers = {CALLERS[word] for word in re.findall("|".join(CALLERS), who)}
        listed[name.replace("-", "_")] = (set(methods.split(", ")), callers)
    served = {name: (set(ENDPOINTS[name].methods) - {"HEAD"}, set(ENDPOINTS[name].callers)) for name in APPS}
    assert listed == served


def test_every_error_code_is_listed_with_its_status() -> None:
    listed = {code.strip("`"): int(status) for code, status, _ in rows(PAGE, "code", "status", "means")}
    assert listed == {code.value: code.status for code in ErrorCode}


def test_the_runbook_says_what_the_function_health_shows_of_the_databases_health() -> None:
    table = rows(RUNBOOK, "field of `get_health()`", "what is normal", "also in `GET /functions/v1/health`")
    shown = {field.strip("`"): where == "yes" for field, _, where in table}
    assert {field for field, is_shown in shown.items() if is_shown} == set(DatabaseHealth.model_fields)
    assert {"last_error", "pending_unit_changes"} <= {field for field, yes in shown.items() if not yes}
