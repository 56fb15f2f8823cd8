"""A limit on the whole of a request, as curl has it; `requests` alone limits each wait for the next octet.

Plain http only: TLS replaces the socket, so https keeps the limit per wait.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer


class _Current(threading.local):
    """The deadline of the request that this thread carries, on the monotonic clock; None is no limit."""

    at: float | None = None


_current = _Current()


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Limit all reads of this thread on connections of `DeadlineAdapter`, together, to `seconds`."""
    _current.at = None if seconds is None else time.monotonic() + seconds
    try:
        yield
    finally:
        _current.at = None


class _DeadlineSocket(socket.socket):
    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        if _current.at is not None:
            left = _current.at - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)


class _DeadlineConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _DeadlineSocket(fileno=super()._new_conn().detach())


class _DeadlineConnectionPool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class DeadlineAdapter(HTTPAdapter):
    """A transport adapter whose http connections obey `deadline`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put the pool of limited connections in the place of the plain one."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            **self.poolmanager.pool_classes_by_scheme,
            "http": _DeadlineConnectionPool,
        }
