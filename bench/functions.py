"""`make bench-functions`: the functions as they are deployed, against the same jobs in Deno.

It starts a stack of its own, whose gateway and database both sides use, and removes it again. Three jobs:
`health` (anyone), `metric-snapshots` (a signed-in user looks up a report), `refresh-stats-views` (a signed
webhook). Ours runs on `functions-framework`, one function a process; Deno's with supabase-js, jose and zod.
Both take turns within each round, and a ratio is the median of the rounds' ratios: of cold starts (from exec
to the first 200), requests a second over 1, 8 and 32 connections, and memory (PSS). The last line names the
targets that were missed; only with --strict is that a failure.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench import functions_jobs as work
from bench import functions_servers as servers
from bench import verdicts
from bench.figures import Target
from bench.functions_install import install_deployed, install_peer
from bench.functions_jobs import ALONE, FERSK, PEER
from bench.load import encode, send
from bench.snapshots import percentile
from local import command
from local.config import Ports
from local.network import free_port
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.functions_jobs import Command, Job
    from bench.load import Requests
    from local.progress import Progress

OUTPUT = Path(__file__).parent / "out" / "functions.json"
STATE_DIR = ROOT / ".stack-bench-functions"
CONNECTIONS = (1, 8, 32)
WARM_UP_SECONDS = 0.5
SIDES = (FERSK, PEER)
STARTED = (FERSK, ALONE, PEER)
PYTHON = work.DEPLOYED / "bin" / "python"
FLOORS: dict[str, Command] = {
    "floor_starlette": lambda port: [str(PYTHON), str(work.FLOORS / "starlette_hello.py"), str(port)],
    "floor_framework": work.framework("hello", work.FLOORS / "framework_hello.py"),
}
COMMANDS = {FERSK: work.framework, ALONE: work.alone, PEER: work.deno}
TARGETS = {
    "cold_start_ratio_health": Target(2.5),
    "cold_start_ratio_metric_snapshots": Target(3),
    "rps_ratio_1": Target(0.8, at_least=True),
    "rps_ratio_8": Target(0.66, at_least=True),
    "memory_ratio": Target(1.5),
    "cold_start_ratio_health_own_server": Target(2.5),
    "cold_start_ratio_metric_snapshots_own_server": Target(3),
}
"""What is said of all jobs at once is the worst of them."""


@dataclass
class Measured:
    """Everything that one run found: by job and side, in the order of the rounds."""

    starts: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    loads: dict[tuple[str, int, str], list[dict[str, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    modules: dict[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Return every figure by its name."""
        jobs = [job for job, side in self.starts if side == PEER]
        found: dict[str, float] = {}
        for job in jobs:
            for side, suffix in ((FERSK, ""), (ALONE, f"_{ALONE}")):
                start = ratio(self.starts[job, side], self.starts[job, PEER])
                found[f"cold_start_ratio_{job}{suffix}"] = start
                memory = ratio(self.memory[job, side], self.memory[job, PEER])
                found[f"memory_ratio_{job}{suffix}"] = memory
            for connections in CONNECTIONS:
                ours, theirs = (
                    [each["per_second"] for each in self.loads[job, connections, side]] for side in SIDES
                )
                found[f"rps_ratio_{connections}_{job}"] = ratio(ours, theirs)
        for connections in CONNECTIONS:
            found[f"rps_ratio_{connections}"] = min(found[f"rps_ratio_{connections}_{job}"] for job in jobs)
        found["memory_ratio"] = max(found[f"memory_ratio_{job}"] for job in jobs)
        for (job, side), milliseconds in self.starts.items():
            found[f"cold_start_ms_{side}_{job}" if side else f"cold_start_ms_{job}"] = statistics.median(
                milliseconds
            )
        return found | {f"modules_{name}": float(count) for name, count in self.modules.items()}

    def rows(self) -> list[dict[str, object]]:
        """Return what was measured over connections, for the file."""
        return [
            {"job": job, "connections": connections, "side": side} | each
            for (job, connections, side), loads in self.loads.items()
            for each in loads
        ]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of neighbouring measurements."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


@dataclass
class Run:
    """One run: both sides do the jobs, on the stack that the variables name."""

    jobs: Sequence[Job]
    variables: Mapping[str, str]
    progress: Progress
    measured: Measured = field(default_factory=Measured)

    def start(self, rounds: int) -> None:
        """Start each server so many times, the sides and the floors one after the other."""
        for number in range(rounds + 1):  # the first fills caches: bytecode, Deno's code
            measured = self.measured if number else Measured()
            with self.progress.step(f"cold starts, round {number} of {rounds}"):
                for job in self.jobs:
                    for side in STARTED:
                        command = COMMANDS[side](job.name)
                        start, memory = servers.cold_start(command, self.variables, job.requests)
                        measured.starts[job.name, side].append(start)
                        measured.memory[job.name, side].append(memory)
                for name, floor in FLOORS.items():
                    start, _ = servers.cold_start(floor, self.variables, hello)
                    measured.starts[name, ""].append(start)
                measured.starts["floor_interpreter", ""].append(servers.bare_interpreter(PYTHON))

    def count_modules(self, folder: Path) -> None:
        """Count what each side has loaded after its first answer."""
        for job in self.jobs:
            for side in (FERSK, ALONE):
                log = folder / f"{side}_{job.name}.imports"
                found = servers.modules(COMMANDS[side](job.name), self.variables, job.requests, log)
                self.measured.modules[f"{side}_{job.name}"] = len(found)
            options = ("info", "--json", "--node-modules-dir=manual", str(work.PEERS / f"{job.name}.mjs"))
            shown = subprocess.run(
                [str(work.DENO), *options], env=dict(self.variables), capture_output=True, check=True
            )
            self.measured.modules[f"{PEER}_{job.name}"] = len(json.loads(shown.stdout)["modules"])

    def load(self, rounds: int, seconds: float) -> None:
        """Send requests to both sides of each job in turn, over more and more connections."""
        for job in self.jobs:
            ports = {side: free_port() for side in SIDES}
            with ExitStack() as stack:
                for side, port in ports.items():
                    command = COMMANDS[side](job.name)(port)
                    process = stack.enter_context(servers.running(command, self.variables, port))
                    servers.first_answer(port, job.requests(port), process)
                for number in range(1, rounds + 1):
                    with self.progress.step(f"{job.name}, round {number} of {rounds}"):
                        for connections in CONNECTIONS:
                            for side in SIDES if number % 2 else reversed(SIDES):
                                found = one_load(job, ports[side], connections, seconds)
                                self.measured.loads[job.name, connections, side].append(found)


def one_load(job: Job, port: int, connections: int, seconds: float) -> dict[str, float]:
    """Send a job's requests for so long. Raises RuntimeError if one of them had no success."""
    requests = job.requests(port)
    send(port, requests, connections, WARM_UP_SECONDS)
    load = send(port, requests, connections, seconds)
    if load.statuses.keys() != {200}:
        raise RuntimeError(f"{job.name} over {connections} connections: {load.statuses}")
    return {
        "per_second": round(load.per_second, 1),
        "p50_ms": round(statistics.median(load.durations), 3),
        "p99_ms": round(percentile(load.durations, 99), 3),
    }


def hello(port: int) -> Requests:
    """Ask one of the floors."""
    return lambda: encode("GET", port, "/", {})


def start_table(measured: Measured) -> Table:
    """Show cold starts, memory and modules."""
    table = Table(title="Cold start: ms from exec to the first 200 (least / median), MiB, modules")
    for column in ("job", "side", "ms", "to deno", "MiB", "modules"):
        table.add_column(column, justify="left" if column in {"job", "side"} else "right")
    for (job, side), starts in measured.starts.items():
        times = f"{min(starts):.0f} / {statistics.median(starts):.0f}"
        if not side:
            table.add_row(job.replace("_", ": ", 1), "", times)
            continue
        to_peer = ratio(starts, measured.starts[job, PEER])
        memory = statistics.median(measured.memory[job, side])
        modules = str(measured.modules.get(f"{side}_{job}", ""))
        table.add_row(job, side, times, f"{to_peer:.2f}", f"{memory:.0f}", modules)
    return table


def load_table(measured: Measured) -> Table:
    """Show requests a second and durations."""
    table = Table(title="Requests a second, p50 / p99 ms: medians of the rounds")
    columns = ("job", "connections", *(f"{side} {what}" for side in SIDES for what in ("/s", "ms")), "ratio")
    for column in columns:
        table.add_column(column, justify="left" if column == "job" else "right")
    figures = measured.figures()
    for job, connections in dict.fromkeys((job, number) for job, number, _ in measured.loads):
        cells = []
        for side in SIDES:
            loads = measured.loads[job, connections, side]
            per_second, p50, p99 = (
                statistics.median(each[name] for each in loads) for name in ("per_second", "p50_ms", "p99_ms")
            )
            cells += [f"{per_second:,.0f}", f"{p50:.1f} / {p99:.1f}"]
        table.add_row(job, str(connections), *cells, f"{figures[f'rps_ratio_{connections}_{job}']:.2f}")
    return table


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.functions", description=__doc__)
    parser.add_argument("--starts", type=int, default=20, help="of each server (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of load (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="of one load (default %(default)s)")
    parser.add_argument("--only", default="", help="jobs whose name has this in it")
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    starts, rounds, seconds = arguments.starts, arguments.rounds, arguments.seconds
    if arguments.quick:
        starts, rounds, seconds = 3, 1, 0.4
    console, progress = command.tables(), Terminal(Console(stderr=True))
    with progress.step("what is deployed, compiled"):
        install_deployed()
    with progress.step("Deno, supabase-js, jose, zod"):
        install_peer()
    stack = Stack(STATE_DIR, Ports.free(), progress=progress)
    try:
        stack.start()
        with tempfile.TemporaryDirectory() as home:
            jobs = [job for job in work.jobs(stack) if arguments.only in job.name]
            run = Run(jobs, work.environment(stack, Path(home)), progress)
            run.start(starts)
            run.count_modules(Path(home))
            run.load(rounds, seconds)
    finally:
        stack.destroy()
    measured = run.measured
    console.print(start_table(measured))
    console.print(load_table(measured))
    figures = measured.figures()
    table, missed = verdicts.table("Functions", figures, TARGETS, unmeasured="not measured")
    console.print(table)
    verdicts.save(OUTPUT, figures, TARGETS, loads=measured.rows())
    console.print(f"written to {OUTPUT}")
    return verdicts.conclude(console, missed, strict=arguments.strict)


if __name__ == "__main__":
    sys.exit(command.run(main))
