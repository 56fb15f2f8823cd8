"""A database cluster of a tool's own, with what the platform has, and without migrations."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local import cluster, database
from local.config import Ports, open_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.config import Instance


@contextmanager
def scratch() -> Iterator[Instance]:
    """Give a running one; it is removed at the end."""
    with tempfile.TemporaryDirectory() as directory:
        instance, _ = open_instance(Path(directory) / "state", Ports.free())
        try:
            cluster.create(instance)
            cluster.start(instance)
            database.install_platform(instance)
            yield instance
        finally:
            cluster.destroy(instance)
