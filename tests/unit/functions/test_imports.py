"""What a function loads when its process starts: a cold start is imports, and little else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.credentials import ENVIRONMENT

FUNCTIONS = Path(__file__).parents[3] / "functions"
NAMES = sorted(
    path.stem
    for pattern in ("[a-z]*.py", "[a-z]*/__init__.py")
    for path in (each if each.name != "__init__.py" else each.parent for each in FUNCTIONS.glob(pattern))
    if path.stem != "main"
)

# What each may load of other people's, by distribution: that without which it answers nothing.
COMMON = {
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "pyreqwest",
}
SERVER = {"anyio", "sniffio", "starlette"}  # anyio takes sniffio where there is one
MAY_LOAD = dict.fromkeys(NAMES, COMMON | SERVER)
# What would be noticed: 20 to 300 ms each.
HEAVY = {
    "functions_framework": "only main.py knows it",
    "flask": "Functions Framework's",
    "httpx": "what we send with is pyreqwest",
    "postgrest": "supabase-py is for tools and tests",
    "supabase": "the same",
    "jwt": "for public keys alone, at the first token that names one",
    "cryptography": "the same",
    "standardwebhooks": "at the first webhook",
    "pydantic_settings": "reading the environment takes no library",
    "uvicorn": "the server's own",
    "prometheus_client": "at the first call of metrics",
    "xlsxwriter": "at the first workbook",
    "typst": "at the first PDF",
}

LOAD = """
import sys
before = set(sys.modules)
from _shared.http.loading import load
load([sys.argv[1]])
print(sorted(set(sys.modules) - before))
"""


@cache
def loaded(name: str) -> set[str]:
    """The modules that come with a function, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name],
        cwd=FUNCTIONS,
        env=ENVIRONMENT | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def foreign(modules: set[str]) -> set[str]:
    """Packages of neither Python nor this project."""
    own = {*NAMES, "main", "_shared"}
    tops = {module.partition(".")[0] for module in modules}
    return {top for top in tops - own if top not in sys.stdlib_module_names and not top.startswith("_")}


@pytest.mark.parametrize("name", NAMES)
def test_a_function_loads_what_it_may_and_nothing_else(name: str) -> None:
    assert foreign(loaded(name)) <= MAY_LOAD[name]
    assert foreign(loaded(name)) & set(HEAVY) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_function_loads_no_other(name: str) -> None:
    assert loaded(name) & set(NAMES) == {name}


@pytest.mark.parametrize("name", NAMES)
def test_what_only_webhooks_or_public_keys_need_waits_for_them(name: str) -> None:
    assert loaded(name) & {"_shared.http.webhooks", "_shared.http.keys"} == set()


def test_the_list_would_notice() -> None:
    assert foreign({"httpx._client", "json", "health", "_shared.http.auth", "_struct"}) == {"httpx"}
    assert set(HEAVY) & (COMMON | SERVER) == set()


@pytest.mark.parametrize("name", ["health", "metric_snapshots"])
def test_no_model_is_built_before_it_is_used(name: str) -> None:
    """Twenty models come with the database; a function uses two or three."""
    script = f"""
import pydantic
from _shared.database.client import Row, StrictRow
import {name}
def below(model):
    return [each for sub in model.__subclasses__() for each in (sub, *below(sub))]
models = below(Row) + below(StrictRow)
print(len(models), sum(model.__pydantic_complete__ for model in models))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=FUNCTIONS,
        env=ENVIRONMENT | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    models, built = map(int, done.stdout.split())
    assert models > 15
    assert built == 0
