"""The whole stack as one object: `Stack(state_dir).start()`, for the command line and for tests alike."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local import cluster, config, database, migrations, processes, services
from local.config import Ports, open_instance
from local.errors import NotRunningError, PortTakenError
from local.network import can_bind
from local.progress import Progress
from local.requirements import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from local.database import SignIn

DEFAULT_STATE_DIR = ROOT / ".stack"
PORT_STEP = 100  # between the gateway ports that are suggested when some port is taken


class Stack:
    """One instance. Any number may run side by side, each with a state directory and ports of its own.

    state_dir : logs and secrets; created when missing.
    ports     : None for those of its last start; at first, those of `supabase start`.
    project   : folder that holds `supabase/`.
    """

    def __init__(
        self,
        state_dir: Path = DEFAULT_STATE_DIR,
        ports: Ports | None = None,
        *,
        project: Path = ROOT,
        progress: Progress | None = None,
    ) -> None:
        self.instance, self._has_new_secrets = open_instance(state_dir, ports, project)
        self._progress = progress or Progress()
        secrets = self.instance.secrets
        self.api_url = self.instance.api_url
        self.auth_url = f"{self.api_url}/auth/v1"
        self.rest_url = f"{self.api_url}/rest/v1"
        self.functions_url = f"{self.api_url}/functions/v1"
        self.db_url = self.instance.database_url("postgres")
        self.admin_db_url = self.instance.database_url("supabase_admin")
        self.publishable_key = secrets.publishable_key
        self.secret_key = secrets.secret_key
        self.anon_key = secrets.anon_key
        self.service_role_key = secrets.service_role_key
        self.jwt_secret = secrets.jwt_secret
        self.webhook_secret = secrets.webhook_secret

    @classmethod
    def running(
        cls, state_dir: Path = DEFAULT_STATE_DIR, *, parts: tuple[str, ...] = (cluster.NAME,)
    ) -> Self:
        """Give the stack in `state_dir`, of which these parts must run.

        Raises NotRunningError if one does not, or if the stack was never started; nothing is created then.
        """
        if config.stored_ports(state_dir) is None:
            raise NotRunningError
        stack = cls(state_dir)
        if not processes.all_running(stack.instance).keys() >= set(parts):
            raise NotRunningError
        return stack

    def start(self) -> None:
        """Bring everything up, migrated and ready; what already runs as it should is left alone.

        A stack whose ports were changed is moved: all of it is stopped first, because a part may get the port
        that another one had.
        Raises StackError with what to do about it. A start that failed or was killed can simply be repeated.
        """
        with self._lock():
            try:
                self._take_ports()
                self._start_database()
                for program in services.programs(self.instance):
                    where = f" on {', '.join(map(str, program.ports))}" if program.ports else ""
                    with self._progress.step(f"{program.name}{where}"):
                        processes.ensure(self.instance, program)
            except PortTakenError as error:
                raise PortTakenError(f"{error}\nchoose others: make start PORT={_free_port()}") from None

    def _take_ports(self) -> None:
        """Store the instance's ports. If they are new, those must be free, and what runs is stopped."""
        ports, former = self.instance.ports, config.stored_ports(self.instance.state_dir)
        if former is not None and ports != former:
            for name, port in vars(ports).items():
                if port not in vars(former).values():
                    processes.require_free(name, port)
            self._stop()
        config.save(self.instance)

    def stop(self) -> None:
        """Stop everything; the data stay."""
        with self._lock():
            self._stop()

    def reset(self) -> None:
        """Throw the database away and start with a new one: migrations and seed, same secrets."""
        with self._lock():
            self._stop()
            cluster.destroy(self.instance)
        self.start()

    def destroy(self) -> None:
        """Stop everything and remove all that the instance ever wrote."""
        with self._lock():
            self._stop()
            cluster.destroy(self.instance)
        shutil.rmtree(self.instance.state_dir)

    def start_postgres(self) -> None:
        """Start the database server alone."""
        cluster.start(self.instance)

    def stop_postgres(self, *, immediate: bool = False) -> None:
        """Stop the database server alone; `immediate` as in a crash."""
        cluster.stop(self.instance, immediate=immediate)

    def restart_postgres(self) -> None:
        """Stop and start the database server alone."""
        self.stop_postgres()
        self.start_postgres()

    def sign_ins(self) -> list[SignIn]:
        """List the seeded accounts; their password is `password`."""
        return database.sign_ins(self.admin_db_url)

    def status(self) -> dict[str, bool]:
        """Tell for each part, by name, whether it runs and answers."""
        running = processes.all_running(self.instance)
        alive = {cluster.NAME: cluster.NAME in running}
        for program in services.programs(self.instance):
            alive[program.name] = program.name in running and program.ready()
        return alive

    def _start_database(self) -> None:
        instance = self.instance
        if self._has_new_secrets or not cluster.exists(instance):
            with self._progress.step("Postgres: new cluster"):
                cluster.create(instance)
                self._has_new_secrets = False
        with self._progress.step(f"Postgres on {instance.ports.postgres}"):
            cluster.start(instance)
        with self._progress.step("roles, schemas, auth, pg_net"):
            database.install_platform(instance)
        with self._progress.step("migrations and seed"):
            # The CLI takes a second to find that there is nothing to do.
            if migrations.differ(self.db_url, project=instance.project):
                migrations.up(self.db_url, project=instance.project)
            # Before the seed: what it writes asks for a refresh, which the database has to sign.
            secrets = {"fersk_functions_url": self.functions_url, "fersk_webhook_secret": self.webhook_secret}
            database.store_secrets(self.db_url, secrets)
            if not database.is_seeded(self.db_url):
                migrations.up(self.db_url, include_seed=True, project=instance.project)

    def _stop(self) -> None:
        for name in reversed(services.NAMES):
            with self._progress.step(f"stop {name}"):
                processes.stop(self.instance, name)
        with self._progress.step("stop Postgres"):
            cluster.stop(self.instance)
        processes.end(processes.all_running(self.instance).values())  # parts of another version of this code

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one command at a time change this instance; a second one waits."""
        with config.private(self.instance.state_dir / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _free_port() -> int:
    """Return a port for the gateway with which all ports are free right now."""
    candidates = range(Ports.gateway + 1000, config.LAST_PORT - PORT_STEP, PORT_STEP)
    ways_out = (port for port in candidates if all(map(can_bind, vars(Ports.from_gateway(port)).values())))
    return next(ways_out, Ports.gateway + 1000)
