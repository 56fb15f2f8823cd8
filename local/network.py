"""Who holds a port, and whether a server is ready: from /proc and over HTTP, without further tools."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import pwd
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

HOST = "127.0.0.1"
TCP_LISTEN = "0A"


@dataclass(frozen=True)
class Holder:
    """Who listens on a port, in words; the process where it may be seen, else its user."""

    description: str


def holder_of(port: int) -> Holder | None:
    """Find who listens on a port in a way that keeps 127.0.0.1 from being bound, or None."""
    found = _listening_sockets(port)
    if not found:
        return None
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _owns_any(process, set(found)):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return Holder(f"process {process.name} ({command[:200]})")
    user = next(iter(found.values()))
    return Holder(f"a process of user {user} (its number is visible to that user and to root only)")


def _listening_sockets(port: int) -> dict[str, str]:
    """Map socket inode → user name for listeners on this port that cover 127.0.0.1."""
    found: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        if not path.exists():  # a kernel without IPv6
            continue
        for line in path.read_text(encoding="ascii").splitlines()[1:]:
            columns = line.split()
            address, _, hex_port = columns[1].partition(":")
            if columns[3] == TCP_LISTEN and int(hex_port, 16) == port and covers_loopback(address):
                found[columns[9]] = _user_name(int(columns[7]))
    return found


def covers_loopback(hex_address: str) -> bool:
    """Whether an address, as /proc/net/tcp writes it (32-bit words in host order), includes 127.0.0.1."""
    words = [bytes.fromhex(hex_address[i : i + 8])[::-1] for i in range(0, len(hex_address), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_unspecified or str(mapped) == HOST


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _owns_any(process: Path, inodes: set[str]) -> bool:
    """Whether a process has one of the sockets open; processes of others or just gone count as no."""
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:[") and target[8:-1] in inodes:
                    return True
    return False


def can_bind(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at this port right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def answers(url: str, timeout_seconds: float = 2.0) -> bool:
    """Whether a GET on the URL gives 200 right now; proxies of the environment play no part."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=timeout_seconds)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
