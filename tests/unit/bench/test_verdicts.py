"""What is said of a missed target, and to whom names are readable."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys

import pytest
from rich.console import Console

from bench import figures, functions, hierarchy_figures, neighbours, snapshots, verdicts
from bench.figures import Target
from local.command import LOG_WIDTH
from local.requirements import ROOT

TARGETS = {"fast_enough_ms": Target(10), "slow_ms": Target(10), "unmeasured_ms": Target(1)}
FIGURES = {"fast_enough_ms": 3.0, "slow_ms": 30.0, "without_target_ms": 5.0}


def test_a_table_names_what_was_missed_and_only_that() -> None:
    _, missed = verdicts.table("Figures", FIGURES, TARGETS, unmeasured="not measured")
    assert missed == ["slow_ms"]


@pytest.mark.parametrize(
    ("missed", "strict", "line", "status"),
    [
        ([], False, "no target was missed", 0),
        ([], True, "no target was missed", 0),
        (["slow_ms", "other_ms"], False, "missed: slow_ms, other_ms", 0),
        (["slow_ms", "other_ms"], True, "missed: slow_ms, other_ms", 1),
    ],
)
def test_a_missed_target_is_told_last_and_fails_only_if_strict(
    missed: list[str], line: str, status: int, *, strict: bool
) -> None:
    out = io.StringIO()
    assert verdicts.conclude(Console(file=out, width=20), missed, strict=strict) == status
    assert out.getvalue() == f"{line}\n"


def test_the_options_are_the_same_everywhere() -> None:
    parser = argparse.ArgumentParser()
    verdicts.add_options(parser)
    assert vars(parser.parse_args([])) == {"quick": False, "strict": False}
    for module in (
        "bench.stats",
        "bench.hierarchy",
        "bench.snapshots",
        "bench.neighbours",
        "bench.functions",
    ):
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "only with --strict" in " ".join(done.stdout.split())


def test_names_are_whole_in_a_log() -> None:
    benches = (figures, hierarchy_figures, snapshots, neighbours, functions)
    names = {name for bench in benches for name in bench.TARGETS}
    table, _ = verdicts.table("Figures", {}, dict.fromkeys(names, Target(1)), unmeasured="not measured")
    for width in (LOG_WIDTH, 80):
        out = io.StringIO()
        Console(file=out, width=width).print(table)
        assert "…" not in out.getvalue()
    out = io.StringIO()
    Console(file=out, width=LOG_WIDTH).print(table)
    assert [name for name in sorted(names) if name not in out.getvalue()] == []


def test_without_a_terminal_the_console_is_as_wide_as_the_tables() -> None:
    script = "from local import command; print(command.tables().width)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"COLUMNS": "40", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{LOG_WIDTH}\n"
