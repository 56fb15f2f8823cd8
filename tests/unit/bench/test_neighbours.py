from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from bench.attacks import attacks
from bench.neighbours import TARGETS, Measured


def make_measured(**slower: float) -> Measured:
    """Answers of 10 ms in calm, and so many times that under each attack, by way and attack."""
    measured = Measured()
    for key, factor in slower.items():
        way, name = key.split("_", 1)
        measured.calm[name, way] = [10.0] * 100
        measured.attacked[name, way] = [10.0 * factor] * 100
        measured.answers[name] = Counter({"429": 7})
    return measured


def test_the_figure_is_that_of_the_worst_attack() -> None:
    measured = make_measured(rest_flood=1.5, functions_flood=3, rest_trickle=1.2, functions_trickle=1)
    figures = measured.figures()
    assert figures["neighbour_rest_p99_ratio"] == pytest.approx(1.5)
    assert figures["neighbour_functions_p99_ratio"] == pytest.approx(3)
    assert figures["calm_rest_p99_ms"] == pytest.approx(10)
    assert set(TARGETS) <= set(figures)


def test_each_attack_is_shown_with_what_the_attacker_gets() -> None:
    measured = make_measured(rest_flood=1.5, functions_flood=3)
    out = io.StringIO()
    Console(file=out, width=120).print(measured.table())
    assert "flood" in out.getvalue()
    assert "429: 7" in out.getvalue()
    assert [(row["attack"], row["way"], row["ratio"]) for row in measured.rows()] == [
        ("flood", "rest", 1.5),
        ("flood", "functions", 3.0),
    ]


def test_the_attacks_are_those_that_once_stopped_the_service_and_more() -> None:
    found = {name: attack.threads for name, attack in attacks().items()}
    known = {"embeds, five deep": 40, "reports of a century": 40, "savings": 20}
    assert known.items() <= found.items()
    assert len(found) > len(known)
