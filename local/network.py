"""Ports: who holds one, and whether a server answers."""

from __future__ import annotations

import contextlib
import http.client
import socket
import urllib.request

import psutil

HOST = "127.0.0.1"
COVERING = {HOST, f"::ffff:{HOST}", "0.0.0.0", "::"}  # noqa: S104 - addresses of others, which cover ours
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def holder_of(port: int) -> str | None:
    """Say who listens on a port in a way that keeps 127.0.0.1 from being bound; None if nobody does."""
    for found in psutil.net_connections("tcp"):
        ip, its_port = found.laddr or ("", 0)
        if found.status == psutil.CONN_LISTEN and its_port == port and ip in COVERING:
            if found.pid is None:
                return "a process of another user (its number is visible to that user and to root only)"
            with contextlib.suppress(psutil.Error):
                return f"process {found.pid} ({' '.join(psutil.Process(found.pid).cmdline())[:200]})"
    return None


def can_bind(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at this port right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str, timeout_seconds: float = 2.0) -> bool:
    """Whether a GET on the URL gives 200 right now; proxies of the environment play no part."""
    try:
        with _direct.open(url, timeout=timeout_seconds) as response:
            return bool(response.status == http.client.OK)
    except (OSError, http.client.HTTPException):
        return False
