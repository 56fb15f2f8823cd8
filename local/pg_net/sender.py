"""Sends queued requests, each once, and reports what came of them in the words of curl, as pg_net does."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
import urllib3.exceptions

from local.pg_net import VERSION
from local.pg_net.deadline import DeadlineAdapter, deadline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_REDIRECTS = 30

_TIMEOUT = "Timeout of {limit} ms reached. Total time: {elapsed:f} ms"

# First match wins, so the narrower type stands first (urllib3 counts a refused connection as a time-out).
_CURL_MESSAGES: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3.exceptions.NameResolutionError, "Couldn't resolve host name"),
    (urllib3.exceptions.NewConnectionError, "Couldn't connect to server"),
    (requests.Timeout, _TIMEOUT),
    (urllib3.exceptions.TimeoutError, _TIMEOUT),
    (TimeoutError, _TIMEOUT),
    (requests.exceptions.SSLError, "SSL connect error"),
    (requests.exceptions.TooManyRedirects, "Number of redirects hit maximum amount"),
    (requests.exceptions.InvalidSchema, "Unsupported protocol"),
    (requests.exceptions.InvalidURL, "URL using bad/illegal format or missing URL"),
    (http.client.RemoteDisconnected, "Server returned nothing (no headers, no data)"),
    (http.client.IncompleteRead, "Transferred a partial file"),
    (http.client.HTTPException, "Weird server reply"),
    (ConnectionResetError, "Failure when receiving data from the peer"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A row of net.http_request_queue; a time-out of 0 is no limit."""

    id: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_milliseconds: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of net._http_response: either a status with what came with it, or an `error_msg`."""

    id: int
    status_code: int | None = None
    content_type: str | None = None
    headers: dict[str, str] | None = None
    content: str | None = None
    timed_out: bool = False
    error_msg: str | None = None


class Sender:
    """A pool of threads over one session; `concurrency` requests are on their way at a time."""

    def __init__(self, concurrency: int) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="pg_net")
        self._session = _session(concurrency)

    def send_all(self, batch: Sequence[Request]) -> list[Answer]:
        """Send the batch side by side; the answers come in the order of the requests. Raises nothing."""
        return list(self._threads.map(self.send, batch))

    def send(self, request: Request) -> Answer:
        """Send one request, once. Whatever goes wrong on the way is an answer with `error_msg`."""
        started = time.monotonic()
        seconds = request.timeout_milliseconds / 1000 or None
        try:
            with deadline(seconds):
                response = self._session.request(
                    request.method.upper(),
                    request.url,
                    data=request.body,
                    headers={name: value.encode() for name, value in request.headers.items()},
                    timeout=seconds,
                )
        # ValueError: a host, header name or time-out that the libraries below `requests` refuse.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return _failure(request, error, elapsed_ms=(time.monotonic() - started) * 1000)
        headers = {_text(name): _header_text(value) for name, value in response.headers.items()}
        return Answer(
            request.id,
            status_code=response.status_code,
            content_type=_header_text(response.headers["Content-Type"])
            if "Content-Type" in response.headers
            else None,
            headers=headers,
            content=_text(response.content.decode(errors="replace")) or None,
        )

    def drop_connections(self) -> None:
        """Close idle connections: one that the server is about to close would cost the next request."""
        self._session.close()

    def close(self) -> None:
        """Wait for what is on its way, then release threads and connections."""
        self._threads.shutdown()
        self._session.close()


def _session(concurrency: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc: the server's requests come from the server
    session.max_redirects = MAX_REDIRECTS
    session.headers.clear()
    session.headers.update({"User-Agent": f"pg_net/{VERSION}", "Accept": "*/*"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # requests know nothing of each other
    adapter = DeadlineAdapter(pool_maxsize=concurrency, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _failure(request: Request, error: BaseException, *, elapsed_ms: float) -> Answer:
    causes = list(_causes(error))
    for kind, message in _CURL_MESSAGES:
        if any(isinstance(cause, kind) for cause in causes):
            detail = message.format(limit=request.timeout_milliseconds, elapsed=elapsed_ms)
            return Answer(request.id, timed_out=message is _TIMEOUT, error_msg=detail)
    return Answer(request.id, error_msg=type(error).__name__)  # the text of an error may quote a header


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _text(value: str) -> str:
    """Up to the first NUL, which Postgres cannot store; pg_net ends there, too."""
    return value.partition("\0")[0]


def _header_text(value: str) -> str:
    """Undo the Latin-1 in which http.client reads header octets."""
    return _text(value.encode("latin-1", "replace").decode(errors="replace"))
