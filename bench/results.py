"""`make bench-results`: copy what the benches wrote last to bench/results, with a page to read.

The page names the load: absolute times of a busy machine say little, ratios within one run say more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OUTPUT = Path(__file__).parent / "out"
RESULTS = Path(__file__).parent / "results"
BENCHES = ("stats", "hierarchy", "snapshots", "screens", "neighbours", "functions")


def main(output: Path = OUTPUT, results: Path = RESULTS) -> int:
    """Run the command. Returns the exit status: 1 if no bench has been run."""
    found = {name: output / f"{name}.json" for name in BENCHES if (output / f"{name}.json").exists()}
    if not found:
        print(f"nothing in {output}: run make bench-stats first", file=sys.stderr)
        return 1
    results.mkdir(exist_ok=True)
    for name, path in found.items():
        (results / f"{name}.json").write_bytes(path.read_bytes())
    contents = {
        name: json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        for name in BENCHES
        if (results / f"{name}.json").exists()
    }
    (results / "README.md").write_text("\n".join(page(contents)) + "\n", encoding="utf-8")
    return 0


def page(contents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the page: a table for each bench, figures with a target first."""
    yield "# What was measured last"
    for name, content in contents.items():
        machine, figures, targets = content["machine"], content["figures"], content["targets"]
        load = f"{machine['load'][0]:.1f}"
        yield f"\n## bench-{name}\n\n{machine['cpus']} processors, load {load} at the end.\n"
        yield "| figure | value | target | |"
        yield "|---|---:|---:|---|"
        for figure in dict.fromkeys([*targets, *figures]):
            value = f"{figures[figure]:,.3f}" if figure in figures else "not measured"
            said = verdict(figure, figures, targets)
            yield f"| `{figure}` | {value} | {targets.get(figure, '')} | {said} |"


def verdict(figure: str, figures: Mapping[str, float], targets: Mapping[str, str]) -> str:
    """Say whether a figure with a target has met it."""
    if figure not in targets or figure not in figures:
        return ""
    return "met" if Target.read(targets[figure]).is_met(figures[figure]) else "**missed**"


if __name__ == "__main__":
    sys.exit(main())
