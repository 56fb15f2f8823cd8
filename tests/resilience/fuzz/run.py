"""`make fuzz CASES=… SEED=…`: whatever a caller may send, to the functions and to PostgREST.

At least so many calls to each, on a stack of its own. It prints what should not have been answered, with the
request. The last line sums up; the exit status is 1 if there was anything.
"""

from __future__ import annotations

import argparse
import random
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from local import command
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tests.resilience.fuzz import functions, junk
from tests.support.work_limits import lifted

if TYPE_CHECKING:
    from collections.abc import Sequence

STATE_DIR = ROOT / ".stack-fuzz"
EXAMPLES = 20


def fuzz_functions(stack: Stack, cases: int, seed: int, console: Console) -> tuple[int, int]:
    """Call the functions as everybody, again and again, and give how many calls and findings there were."""
    made = found = 0
    real = functions.real_values(stack)
    while made < cases:
        for caller in functions.CALLERS:
            outcome = functions.call(stack, caller, EXAMPLES, seed, real)
            console.print(f"functions, {caller}: {outcome.cases:,} calls, {outcome.findings} findings")
            if outcome.findings:
                console.print(outcome.printed, highlight=False, markup=False)
            made, found = made + outcome.cases, found + outcome.findings
        seed += 1
    return made, found


def fuzz_postgrest(stack: Stack, cases: int, seed: int, console: Console) -> tuple[int, int]:
    """Ask PostgREST for junk, and give how many requests and findings there were."""
    outcome = junk.throw(stack, cases, seed)
    console.print(f"PostgREST, answers by status: {dict(sorted(outcome.statuses.items()))}", highlight=False)
    for finding in outcome.findings:
        console.print(finding, highlight=False, markup=False)
    return outcome.statuses.total(), len(outcome.findings)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.resilience.fuzz.run", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="of each, at least (default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="to repeat a run"
    )
    arguments = parser.parse_args(words)
    console = Console(soft_wrap=True)
    stack = Stack(STATE_DIR, Ports.free(), progress=Terminal(Console(stderr=True)))
    try:
        stack.start()
        with lifted(stack):
            calls, wrong = fuzz_functions(stack, arguments.cases, arguments.seed, console)
        requests, odd = fuzz_postgrest(stack, arguments.cases, arguments.seed, console)
    finally:
        stack.destroy()
    console.print(
        f"fuzz: seed {arguments.seed}, {calls:,} calls of functions with {wrong} findings, "
        f"{requests:,} requests to PostgREST with {odd} findings",
        highlight=False,
    )
    return 1 if wrong or odd else 0


if __name__ == "__main__":
    sys.exit(command.run(main))
