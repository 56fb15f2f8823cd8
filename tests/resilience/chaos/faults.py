"""What goes wrong, each for a while: a fault is a context, at whose end its cause is gone, and no more.

Nobody repairs anything then, but that what was killed is started again: as the platform does, which these
stand in for.
"""

from __future__ import annotations

import resource
import signal
import socket
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

from local import cluster, processes, services
from local.network import HOST
from tests.resilience.chaos.post import WAYS, Way, post

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from local.stack import Stack

WRONG_SECRET = "whsec_" + "bm90IHRoZSByaWdodCBvbmUsIG5vdCBhdCBhbGw="
GIVEN_UP = 200
NEXT_FILE_BYTES = 1 << 20
SEQUENCES = ("fold_asked_at", "refresh_asked_at", "swept_at")
IN_AN_HOUR = "clock_timestamp() + interval '1 hour'"


@dataclass
class Scene:
    """The stack that things happen to."""

    stack: Stack
    chance: random.Random

    def owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.stack.db_url, autocommit=True, connect_timeout=10)

    def execute(self, *statements: str) -> None:
        with self.owner() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def process(self, part: str) -> psutil.Process:
        process = processes.running(self.stack.instance, part)
        assert process is not None, f"{part} does not run"
        return process

    def set_secret(self, name: str, value: str) -> None:
        with self.owner() as connection:
            connection.execute("select private.set_secret(%s, %s)", [name, value])

    def restart_what_ended(self) -> None:
        """Start what was killed, as a platform does."""
        instance = self.stack.instance
        if cluster.NAME not in processes.all_running(instance):
            cluster.start(instance)
        for program in services.programs(instance):
            if processes.running(instance, program.name) is None:
                processes.start(instance, program)


@contextmanager
def killed(scene: Scene, part: str) -> Iterator[None]:
    process = scene.process(part)
    process.kill()
    process.wait()
    yield


@contextmanager
def a_backend_killed(scene: Scene) -> Iterator[None]:
    """As by the kernel when memory runs out: the server ends all the others and recovers."""
    backends = [p for p in scene.process(cluster.NAME).children() if "authenticator" in " ".join(p.cmdline())]
    scene.chance.choice(backends).send_signal(signal.SIGKILL)
    yield


@contextmanager
def postgres_stopped_at_once(scene: Scene) -> Iterator[None]:
    scene.stack.stop_postgres(immediate=True)
    yield


@contextmanager
def hanging(scene: Scene, part: str) -> Iterator[None]:
    process = scene.process(part)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@contextmanager
def disk_full(scene: Scene) -> Iterator[None]:
    """For the server's sessions: no file grows beyond a size, which every segment of the log has passed."""
    limited = []
    for process in scene.process(cluster.NAME).children():
        with suppress(psutil.Error):
            process.rlimit(psutil.RLIMIT_FSIZE, (NEXT_FILE_BYTES, resource.RLIM_INFINITY))
            limited.append(process)
    yield
    for process in limited:
        with suppress(psutil.Error):
            process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def webhooks(scene: Scene, way: Way) -> Iterator[None]:
    with post(way, scene.stack.instance.ports.functions, scene.chance) as port:
        scene.set_secret("fersk_functions_url", f"http://{HOST}:{port}/functions/v1")
        try:
            yield
        finally:
            scene.set_secret("fersk_functions_url", scene.stack.functions_url)


@contextmanager
def secret_missing(scene: Scene, name: str, value: str) -> Iterator[None]:
    scene.execute(f"select private.forget_secret('{name}')")
    try:
        yield
    finally:
        scene.set_secret(name, value)


@contextmanager
def secret_wrong(scene: Scene) -> Iterator[None]:
    scene.set_secret("fersk_webhook_secret", WRONG_SECRET)
    try:
        yield
    finally:
        scene.set_secret("fersk_webhook_secret", scene.stack.webhook_secret)


@contextmanager
def schedules_stopped(scene: Scene) -> Iterator[None]:
    alter = "select cron.alter_job(jobid, active := {}) from cron.job where jobname like 'fersk-%'"
    scene.execute(alter.format("false"))
    try:
        yield
    finally:
        scene.execute(alter.format("true"))


@contextmanager
def clock_set_back(scene: Scene) -> Iterator[None]:
    """As it leaves the database: whatever was noted lies an hour ahead."""
    scene.execute(
        *(
            f"select setval('stats.{name}', (extract(epoch from {IN_AN_HOUR}) * 1000000)::bigint)"
            for name in SEQUENCES
        ),
        f"update stats.stats_refresh_log set last_requested_at = {IN_AN_HOUR}, "
        f"last_started_at = {IN_AN_HOUR}, last_finished_at = {IN_AN_HOUR} where only_row",
    )
    yield


@contextmanager
def a_migration_rewrites_the_table(scene: Scene) -> Iterator[None]:
    with scene.owner() as connection:
        connection.execute("begin")
        connection.execute("alter table public.activities add column chaos uuid default gen_random_uuid()")
        yield
        connection.execute("commit")
        connection.execute("alter table public.activities drop column chaos")


@contextmanager
def callers_that_give_up(scene: Scene) -> Iterator[None]:
    paths = ("/functions/v1/health", "/rest/v1/rpc/get_health", "/functions/v1/refresh-stats-views")
    for _ in range(GIVEN_UP):
        request = (
            f"POST {scene.chance.choice(paths)} HTTP/1.1\r\nhost: {HOST}\r\n"
            f"content-type: application/json\r\napikey: {scene.stack.secret_key}\r\n"
            "content-length: 2\r\n\r\n{}"
        )
        with suppress(OSError), ExitStack() as stack:
            caller = stack.enter_context(
                socket.create_connection((HOST, scene.stack.instance.ports.gateway), timeout=1)
            )
            caller.sendall(request.encode())
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    yield


def catalogue(stack: Stack) -> Mapping[str, Callable[[Scene], AbstractContextManager[None]]]:
    """Every fault by its name."""
    return {
        **{f"kill -9 {part}": partial(killed, part=part) for part in services.NAMES},
        "kill -9 a backend": a_backend_killed,
        "Postgres stopped at once": postgres_stopped_at_once,
        "functions hang": partial(hanging, part="functions"),
        "PostgREST hangs": partial(hanging, part="rest"),
        "disk full": disk_full,
        **{f"webhooks {way}": partial(webhooks, way=way) for way in WAYS},
        "callers give up": callers_that_give_up,
        "clock set back": clock_set_back,
        "webhook secret missing": partial(
            secret_missing, name="fersk_webhook_secret", value=stack.webhook_secret
        ),
        "address of the functions missing": partial(
            secret_missing, name="fersk_functions_url", value=stack.functions_url
        ),
        "webhook secret wrong": secret_wrong,
        "schedules stopped": schedules_stopped,
        "a migration rewrites the table": a_migration_rewrites_the_table,
    }
