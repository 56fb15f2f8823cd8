"""The functions, deployed anew while somebody calls them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local import processes, services
from local.config import Ports
from local.network import HOST, answers
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from local.stack import Stack


class Deployment:
    """All functions, in one process after the other; whoever calls goes to the newest.

    url       : where that is.
    under_way : addresses that somebody is calling; who does puts it in, and looks whether it still holds.
    """

    def __init__(self, stack: Stack, api_url: str) -> None:
        self._stack, self._api_url = stack, api_url
        self.url = ""
        self.names: list[str] = []
        self.under_way: set[str] = set()

    def deploy(self, variables: dict[str, str]) -> None:
        port = Ports.free().functions
        program = services.functions(self._stack.instance)
        url = f"http://{HOST}:{port}"
        started = replace(
            program,
            name=f"functions-{port}",
            command=[
                part.replace(str(self._stack.instance.ports.functions), str(port)) for part in program.command
            ],
            environment={**program.environment, "SUPABASE_URL": self._api_url, **variables},
            ready=lambda: answers(f"{url}/ready"),
            ports=[port],
        )
        processes.start(self._stack.instance, started)
        before, former, self.url = self.names, self.url, f"{url}/functions/v1"
        self.names = [started.name]
        eventually(lambda: former not in self.under_way)
        for name in before:
            processes.stop(self._stack.instance, name)

    def stop(self) -> None:
        for name in self.names:
            processes.stop(self._stack.instance, name)
