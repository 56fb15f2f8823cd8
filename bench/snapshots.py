"""`make bench-snapshots`: saved reports through the whole stack, with a large organisation in the database.

It starts a stack of its own and removes it again. A call goes the way an app takes: gateway, function,
gateway, PostgREST, Postgres, and back. The last line names the targets that were missed; only with --strict
is that a failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
from rich.console import Console

from bench import verdicts
from bench.figures import Target
from local import command
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tools.accounts import sign_in
from tools.large.activities import Request
from tools.large.population import SLUG, Population
from tools.large.seed import DEFAULT_UNTIL, seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OUTPUT = Path(__file__).parent / "out" / "snapshots.json"
STATE_DIR = ROOT / ".stack-bench-snapshots"
# all of the data set, so that a report is about all of its activities
PERIOD = {"period_start": "2024-01-01", "period_end": "2027-01-01"}
WARM_UP = 20
TARGETS = {
    "snapshot_get_p99_ms": Target(50),
    "report_ms_100k": Target(500),
    "prepare_ms_1m": Target(3000),
    "export_xlsx_ms_1m": Target(2000),
    "explain_1000_edits_ms_1m": Target(500),
}
EDITS = """
    update public.activities set participant_count = participant_count + 1
    where id in (select a.id from public.activities a where a.organization_id = %s and a.is_counted
                 order by a.id limit 1000)
"""


class App:
    """Somebody who is signed in, on one connection that stays open."""

    def __init__(self, stack: Stack, email: str) -> None:
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._headers = sign_in(stack, email)
        self._url = stack.functions_url

    def call(self, method: str, slug: str = "metric-snapshots", **query: str) -> httpx.Response:
        """Call a function about the period. Raises for every answer that is no success."""
        params = query if slug == "bufdir-export" else PERIOD | query
        answer = self._http.request(method, f"{self._url}/{slug}", params=params, headers=self._headers)
        return answer.raise_for_status()


def measure(stack: Stack, calls: int) -> dict[str, float]:
    """Measure on the large organisation. Returns milliseconds by figure."""
    app = App(stack, f"admin@{SLUG}.example")
    saved = app.call("PUT").json()["data"]
    puts = timed(lambda: app.call("PUT"), max(5, calls // 20))
    for _ in range(WARM_UP):
        app.call("GET")
    gets = timed(lambda: app.call("GET"), calls)
    if app.call("GET").json()["data"]["id"] != saved["id"]:
        raise RuntimeError("what was measured was no hit")
    return {
        "snapshot_get_p99_ms": percentile(gets, 99),
        "snapshot_get_p50_ms": statistics.median(gets),
        "snapshot_put_p99_ms": percentile(puts, 99),
        "snapshot_put_p50_ms": statistics.median(puts),
        "report_ms_100k": measure_report(stack.db_url),
        "activities_in_report": saved["record_count_at_generation"],
    }


def measure_report(db_url: str) -> float:
    """Give the median time of a report about everything, in the database itself."""
    call = "select stats.bufdir_report(%s, %s, %s, 1)"
    arguments = (Population().organization_id, *PERIOD.values())
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute(call, arguments)
        return statistics.median(timed(lambda: connection.execute(call, arguments), 9))


def measure_versions(stack: Stack, size: str) -> dict[str, float]:
    """Measure a report of a large organisation: its steps, its file, and what a thousand edits change."""
    app, organization = App(stack, f"admin@{SLUG}.example"), Population().organization_id
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        owner.execute(
            "update public.organization_settings set two_person_sign_off = false where organization_id = %s",
            [organization],
        )
        saves = timed(lambda: app.call("PUT"), 3)
        remarks = timed(lambda: app.call("GET", "bufdir-reports", show="remarks"), 3)
        # the first one takes longest: it has seen nothing yet of what there is
        prepares = timed(lambda: app.call("POST", "bufdir-reports", step="prepare"), 3)
        version = app.call("POST", "bufdir-reports", step="prepare").json()["data"]["id"]
        [approval] = timed(lambda: app.call("POST", "bufdir-reports", step="approve", version=version), 1)
        exports = timed(lambda: app.call("GET", "bufdir-export", version=version, format="xlsx"), 5)
        owner.execute(EDITS, [organization])
        explain = (
            "select stats.explained_difference(v, null) from public.bufdir_report_versions v where v.id = %s"
        )
        owner.execute(explain, [version])
        explanations = timed(lambda: owner.execute(explain, [version]), 9)
        whole = timed(lambda: app.call("GET", "bufdir-reports", show="difference", version=version), 3)
    return {
        f"prepare_ms_{size}": max(prepares),
        f"export_xlsx_ms_{size}": statistics.median(exports),
        f"explain_1000_edits_ms_{size}": statistics.median(explanations),
        f"explain_1000_edits_whole_call_ms_{size}": statistics.median(whole),
        f"approve_ms_{size}": approval,
        f"save_ms_{size}": statistics.median(saves),
        f"remarks_ms_{size}": statistics.median(remarks),
    }


def timed(call: Callable[[], object], times: int) -> list[float]:
    """Give the milliseconds that each of so many calls took."""
    durations = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        durations.append((time.perf_counter() - started) * 1000)
    return durations


def percentile(durations: Sequence[float], percent: int) -> float:
    """Give the percentile, by linear interpolation."""
    return statistics.quantiles(durations, n=100, method="inclusive")[percent - 1]


def on_own_stack(
    progress: Terminal, rows: int, measured: Callable[[Stack], dict[str, float]]
) -> dict[str, float]:
    """Start a stack with so many activities, measure, and remove it again."""
    stack = Stack(STATE_DIR, Ports.free(), progress=progress)
    try:
        stack.start()
        with progress.step(f"{rows:,} activities"):
            seed(stack.db_url, Request(rows, seed=1, until=DEFAULT_UNTIL))
        with progress.step("lookups, savings, reports"):
            return measured(stack)
    finally:
        stack.destroy()


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.snapshots", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="lookups measured (default %(default)s)")
    verdicts.add_options(parser)
    arguments = parser.parse_args(words)
    console, progress = command.tables(), Terminal(Console(stderr=True))
    calls = 100 if arguments.quick else arguments.calls
    if arguments.quick:
        figures = on_own_stack(
            progress, 100_000, lambda stack: measure(stack, calls) | measure_versions(stack, "100k")
        )
    else:
        figures = on_own_stack(progress, 100_000, lambda stack: measure(stack, calls))
        figures |= on_own_stack(progress, 1_000_000, lambda stack: measure_versions(stack, "1m"))
    title = "Saved and signed reports, 100,000 and 1,000,000 activities"
    table, missed = verdicts.table(title, figures, TARGETS, unmeasured="not measured", digits=1)
    console.print(table)
    verdicts.save(OUTPUT, figures, TARGETS, digits=2)
    console.print(f"written to {OUTPUT}")
    return verdicts.conclude(console, missed, strict=arguments.strict)


if __name__ == "__main__":
    sys.exit(command.run(main))
