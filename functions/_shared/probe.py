"""Whether the server in this container answers: its exit status is the container's health."""

from __future__ import annotations

import http.client
import os
import sys

OK = 200


def main() -> int:
    """Ask once. Without the network's proxy, and without a package: a probe runs every few seconds."""
    server = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=2)
    try:
        server.request("GET", "/health")
        return 0 if server.getresponse().status == OK else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
