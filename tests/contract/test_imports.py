"""Who knows what, read from the imports: of HTTP, of PostgREST, of each other, of what is deployed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, Any

import pytest

from local.requirements import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from tests.contract.world import Function

FUNCTIONS = ROOT / "functions"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_DEPLOYED = {"tools", "local", "tests", "bench"}
# Deployed and never imported by us: uvicorn looks for them.
LOOKED_FOR_BY_OTHERS = {"uvloop", "httptools"}
# Part of another distribution, which pins it.
COMES_WITH = {"pydantic-core": "pydantic"}
# What may be imported by whom; what is not listed, by everybody.
KNOWN_TO = {
    "functions_framework": {"main"},
    "starlette": {
        "_shared.http.endpoint",
        "_shared.http.request",
        "_shared.http.cors",
        "_shared.http.server",
    },
    "uvicorn": {"_shared.http.server"},
    "standardwebhooks": {"_shared.http.webhooks"},
    "jwt": {"_shared.http.keys"},
    "prometheus_client": {"metrics.figures"},
    "pyreqwest": {"_shared.network", "_shared.database.client", "_shared.http.keys"},
}


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_imports(root: Path) -> dict[str, set[str]]:
    """What each module below imports, for types only or not: modules where they are ours, else packages."""
    paths = {module_name(path, root): path for path in sorted(root.rglob("*.py"))}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}: imports are absolute"
                inside = {f"{node.module}.{alias.name}" for alias in node.names} & paths.keys()
                found[name] |= inside or {str(node.module)}
    return found


IMPORTS = read_imports(FUNCTIONS)
ENTRY_POINTS = {name for name in IMPORTS if "." not in name and name not in {"main", "_shared"}}


def top(module: str) -> str:
    return module.partition(".")[0]


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The modules that import each other in a circle, if any do."""
    graph = {name: imported & imports.keys() for name, imported in imports.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(IMPORTS) == []
    assert circle(IMPORTS | {"_shared.result": {"health"}}) != []


def test_functions_import_nothing_that_is_not_deployed() -> None:
    imported = {top(module) for modules in IMPORTS.values() for module in modules}
    assert imported & NOT_DEPLOYED == set()
    assert "_shared" in imported


@pytest.mark.parametrize("package", KNOWN_TO)
def test_only_some_know(package: str) -> None:
    knowing = {name for name, modules in IMPORTS.items() if package in map(top, modules)}
    assert knowing == KNOWN_TO[package]


def test_a_function_knows_what_is_shared_and_no_other_function() -> None:
    assert "health" in ENTRY_POINTS
    for name in ENTRY_POINTS:
        assert {top(module) for module in IMPORTS[name]} & (ENTRY_POINTS - {name}) == set(), name
    shared = {module for name, modules in IMPORTS.items() if name.startswith("_") for module in modules}
    assert {top(module) for module in shared} & {*ENTRY_POINTS, "main"} == set()


def test_the_database_knows_nothing_of_the_http_that_functions_answer() -> None:
    database = {name: modules for name, modules in IMPORTS.items() if name.startswith("_shared.database")}
    assert [name for name, modules in database.items() if any("_shared.http" in m for m in modules)] == []
    assert len(database) > 5


def distribution(requirement: str) -> str:
    """The name of a distribution, as PEP 503 writes it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_what_is_deployed_is_what_is_imported() -> None:
    declared = {distribution(line) for line in PROJECT["dependency-groups"]["functions"]}
    packages = {top(module) for modules in IMPORTS.values() for module in modules}
    foreign = packages - set(sys.stdlib_module_names) - {top(name) for name in IMPORTS}
    owners = packages_distributions()
    imported = {distribution(owner) for package in foreign for owner in owners[package]}
    imported = {COMES_WITH.get(name, name) for name in imported}
    assert declared == imported | LOOKED_FOR_BY_OTHERS
    assert imported & LOOKED_FOR_BY_OTHERS == set()
    lines = (FUNCTIONS / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert declared <= {distribution(line) for line in lines if line[:1].isalpha()}


def test_the_local_stack_needs_neither_tools_nor_tests() -> None:
    imported = {top(module) for modules in read_imports(ROOT / "local").values() for module in modules}
    assert imported & {"tools", "tests", "bench", "_shared", *ENTRY_POINTS} == set()


def test_linter_and_type_checker_look_at_every_package_and_know_what_is_ours() -> None:
    packages = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")} | {"functions", "tests"}
    assert set(PROJECT["tool"]["mypy"]["files"]) == packages
    ruff: dict[str, Any] = PROJECT["tool"]["ruff"]
    # found by where they are: a list beside it could only be wrong
    assert ruff["src"] == ["functions", "."]
    assert "known-first-party" not in ruff["lint"]["isort"]


async def visited(function: Function) -> set[str]:
    """The files of functions/ in which something runs while one call is answered."""
    files: set[str] = set()

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(f"{FUNCTIONS}/"):
            files.add(frame.f_code.co_filename)

    sys.setprofile(look)
    try:
        assert (await function.call(function.some_caller())).status_code == 200
    finally:
        sys.setprofile(None)
    return files


@pytest.mark.parametrize("function", ["health", "metric_snapshots", "snapshot_status"], indirect=True)
async def test_who_follows_one_read_visits_at_most_twelve_files(function: Function) -> None:
    await visited(function)  # loads what is loaded once
    files = await visited(function)
    assert str(FUNCTIONS / f"{function.spec.name}.py") in files
    # two of them, network and tokens, do what larger packages did: docs/decisions/0006-light-functions.md
    assert len(files) <= 12, files
