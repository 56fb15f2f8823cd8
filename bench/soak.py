"""`make soak MINUTES=10`: callers that give up at random, and a server that must not mind.

On a stack of its own, one process serves all functions. Callers of every kind wait for a random time, often
too short, and hang up. Once a minute a thousand webhooks come at once and give up; once a minute what is
behind the functions stands still for some seconds. All the while one patient caller asks whether the process
is ready. Calm returns after each minute, and then every connection must be free again: as many calls as the
process has connections, at once, all answered; and no connection left over a moment later.
Ends with status 1 if that was ever not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import uvloop
from rich.console import Console
from standardwebhooks.webhooks import Webhook

from bench import functions_jobs as work
from bench.load import encode
from local import command, processes
from local.config import Ports
from local.progress import Terminal
from local.requirements import ROOT
from local.stack import Stack
from tools.accounts import sign_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.load import Requests

STATE_DIR = ROOT / ".stack-soak"
CALLERS = 48
BURST = 1000
STILL_SECONDS = 4.0
PROCESS_CONNECTIONS = 16
CALM_SECONDS = 20.0  # within which everything must be well again
NEVER = "no answer"


@dataclass
class Seen:
    """What callers saw: how many gave up, and how many had which answer, by round."""

    answers: Counter[str] = field(default_factory=Counter)
    gave_up: int = 0
    rounds: list[str] = field(default_factory=list)


class Server:
    """The functions of a stack, as callers see them and as the machine does."""

    def __init__(self, stack: Stack) -> None:
        self.port = stack.instance.ports.functions
        self._gateway_port = stack.instance.ports.gateway
        self._instance = stack.instance
        people = [one for one in stack.sign_ins() if one.email.endswith("@nhf.example")]
        apps = [sign_in(stack, one.email) for one in people]
        signer = Webhook(stack.webhook_secret)
        period, key = f"/functions/v1/metric-snapshots?{work.PERIOD}", {"apikey": stack.secret_key}

        def webhook(slug: str) -> bytes:
            return encode("POST", self.port, f"/functions/v1/{slug}", work.signed(signer), work.BODY)

        def user() -> dict[str, str]:
            return random.choice(apps)

        def refresh() -> bytes:
            return webhook("refresh-stats-views")

        self.health = encode("GET", self.port, "/functions/v1/health", {})
        self.webhook: Requests = refresh
        self.calls: tuple[Requests, ...] = (
            lambda: self.health,
            lambda: encode("GET", self.port, period, user()),
            lambda: encode("GET", self.port, f"/functions/v1/snapshot-status?{work.PERIOD}", user()),
            lambda: encode("POST", self.port, "/functions/v1/refresh-stats-views", key),
            refresh,
            lambda: webhook("invalidate-hierarchy-cache"),
        )

    def process(self) -> psutil.Process:
        """Return the process that serves."""
        return _running(self._instance, "functions")

    def gateway(self) -> psutil.Process:
        """Return what is behind the functions."""
        return _running(self._instance, "gateway")

    def connections(self) -> int:
        """Count the process's connections to what is behind it."""
        return sum(
            1
            for each in self.process().net_connections("tcp")
            if each.raddr and each.raddr.port == self._gateway_port and each.status == "ESTABLISHED"
        )


def _running(instance: object, name: str) -> psutil.Process:
    process = processes.running(instance, name)  # type: ignore[arg-type]
    if process is None:
        raise RuntimeError(f"{name} does not run")
    return process


async def call(port: int, request: bytes, patience: float) -> str | None:
    """Send a request. Returns the status of the answer; None if the caller gave up first."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            line = await reader.readline()
            return line[9:12].decode() or NEVER
    except TimeoutError:
        return None
    except OSError as error:
        return type(error).__name__
    finally:
        if writer:
            writer.transport.abort()


async def give_up_at_random(server: Server, seen: Seen, until: float, chance: random.Random) -> None:
    """Call, wait for some time, and call again."""
    while time.monotonic() < until:
        request = chance.choice(server.calls)()
        patience = 30.0 if chance.random() < 0.2 else chance.expovariate(1 / 0.03)
        status = await call(server.port, request, patience)
        if status is None:
            seen.gave_up += 1
        else:
            seen.answers[status] += 1


async def burst(server: Server, seen: Seen) -> None:
    """Send a thousand webhooks at once, whose senders wait for a twentieth of a second."""
    requests = [server.webhook() for _ in range(BURST)]
    answers = await asyncio.gather(*(call(server.port, request, 0.05) for request in requests))
    seen.gave_up += answers.count(None)
    seen.answers.update(status for status in answers if status)


async def stand_still(server: Server) -> None:
    """Let what is behind the functions not move for a while."""
    gateway = server.gateway()
    gateway.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(STILL_SECONDS)
    finally:
        gateway.send_signal(signal.SIGCONT)


async def is_well(server: Server) -> str:
    """Return what is wrong once all callers are gone: empty if nothing is, within `CALM_SECONDS`."""
    deadline, wrong = time.monotonic() + CALM_SECONDS, ""
    while time.monotonic() < deadline:
        answers = await asyncio.gather(
            *(call(server.port, server.health, 10) for _ in range(PROCESS_CONNECTIONS))
        )
        if set(answers) == {"200"}:
            break
        wrong = f"{PROCESS_CONNECTIONS} at once were answered {Counter(answers)}"
    else:
        return wrong
    while time.monotonic() < deadline:
        if (left := server.connections()) == 0:
            return ""
        await asyncio.sleep(0.2)
    return f"{left} connections are left"


async def soak(server: Server, seconds: float, round_seconds: float) -> Seen:
    """Let callers give up for so long, in rounds; each ends with calm, in which all must be well."""
    seen, chance = Seen(), random.Random(1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        until = time.monotonic() + round_seconds
        callers = [
            asyncio.create_task(give_up_at_random(server, seen, until, random.Random(chance.random())))
            for _ in range(CALLERS)
        ]
        await asyncio.sleep(round_seconds / 4)
        await burst(server, seen)
        await asyncio.sleep(round_seconds / 4)
        await stand_still(server)
        await asyncio.gather(*callers)
        with suppress(psutil.Error):
            mib = server.process().memory_info().rss / 2**20
        wrong = await is_well(server)
        seen.rounds.append(f"{wrong or 'well'}; {mib:.0f} MiB")
        if wrong:
            break
    return seen


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default %(default)s)")
    arguments = parser.parse_args(words)
    console, progress = command.tables(), Terminal(Console(stderr=True))
    stack = Stack(STATE_DIR, Ports.free(), progress=progress)
    try:
        stack.start()
        server = Server(stack)
        before = server.process().pid
        with progress.step(f"callers that give up, for {arguments.minutes:g} minutes"):
            seen = uvloop.run(soak(server, arguments.minutes * 60, min(60, arguments.minutes * 60)))
        is_same = server.process().pid == before
    finally:
        stack.destroy()
    console.print(f"gave up: {seen.gave_up:,}; answers: {dict(sorted(seen.answers.items()))}", soft_wrap=True)
    for number, found in enumerate(seen.rounds, 1):
        console.print(f"round {number}: {found}")
    is_well_throughout = is_same and all(found.startswith("well") for found in seen.rounds)
    console.print("never wedged" if is_well_throughout else "WEDGED")
    return 0 if is_well_throughout else 1


if __name__ == "__main__":
    sys.exit(command.run(main))
