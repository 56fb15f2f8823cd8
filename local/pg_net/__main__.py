"""`python -m local.pg_net`: the worker as a process; SIGTERM and SIGINT end it after the batch in flight."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing

from local.pg_net.config import Config
from local.pg_net.logs import log
from local.pg_net.sender import Sender
from local.pg_net.stop import Stop
from local.pg_net.worker import Worker


def main() -> int:
    """Run until asked to stop; 0 after a clean stop, 2 if the configuration is wrong."""
    try:
        config = Config.from_environment(os.environ)
    except ValueError as error:
        log("configuration_is_wrong", level="ERROR", error=str(error))
        return 2
    with Stop() as stop, closing(Sender(config.concurrency)) as sender:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Worker(config, sender, stop).run()
    log("worker_stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
