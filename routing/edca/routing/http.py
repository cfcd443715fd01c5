"""HTTP for routes: one bounded exchange at a time. The extra `edca[http]` brings the library.

Certificates are verified, proxies and `.netrc` of the environment aren't looked at, compressed answers aren't asked for
or taken, and a whole exchange has one deadline, however slowly bytes arrive. A credential is taken from the environment
when the service is opened, stays in here, and is sent to the service's own origin only.
"""

from __future__ import annotations

import base64
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from edca.routing.errors import RouteError
from edca.routing.model_documents import Auth, AuthKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from edca.routing.model_documents import HTTPSource

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK_BYTES = 65_536


class NotSentError(Exception):
    """Nothing has reached the service: no connection could be made."""


class NoAnswerError(Exception):
    """The request may have reached the service, and there is no answer to it."""


class ClosedError(NoAnswerError):
    """The connection was closed instead of an answer."""


class BadAnswerError(Exception):
    """There is an answer that can't be used; the message says why, without its content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, its headers' names in lower case, and its body within the bound."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# --- a deadline for the whole exchange -----------------------------------------------------------------------------

_deadline = threading.local()


@contextmanager
def _until(seconds: float) -> Iterator[None]:
    _deadline.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.at = None


def _left(timeout: float | None, over: type[httpcore.TimeoutException] = httpcore.ReadTimeout) -> float | None:
    """Return how long one operation may take. Raises `over` where the time is over."""
    at = getattr(_deadline, "at", None)
    if at is None:
        return timeout
    left: float = at - time.monotonic()
    if left <= 0:
        raise over("the exchange took too long")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends with the exchange's deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(
            self._backend.connect_tcp(
                host, port, _left(timeout, httpcore.ConnectTimeout), local_address, socket_options
            )
        )


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class _Transport(httpx.BaseTransport):
    """httpx's way to a connection pool with our own connections, which its own transport has no parameter for."""

    def __init__(self, context: ssl.SSLContext, *, keeps: int) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=keeps,
            keepalive_expiry=5.0,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        stream: Any = answer.stream
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(stream), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


# --- the service ---------------------------------------------------------------------------------------------------


class Service:
    """An HTTP service that routes lead to. Threads share it; `close` it in the end."""

    def __init__(self, source: HTTPSource, base: str, credential: str | None = None) -> None:
        """Connect to nothing yet.

        `base` is the service's base URL, `credential` what `source.auth` asks for. Raises `RouteError` for a URL that
        can't be used or isn't encrypted, and for a credential that can't be sent; no message repeats either.
        """
        self.source = source
        self._base = _base(source, base)
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "edca"}
        if source.auth is not None:
            self._headers[source.auth.header] = _authorization(source, source.auth, credential)
        context = ssl.create_default_context()
        # A connection kept from before may just have been closed by the service. Asking again does no harm when
        # reading; for an effect nobody could tell what became of it, so each has a connection of its own.
        self._reading, self._acting = _client(source, context, keeps=8), _client(source, context, keeps=0)

    def __repr__(self) -> str:
        """Name the source, and neither its address nor its credential."""
        return f"<Service {self.source.name}>"

    def get(self, path: str, most: int | None = None) -> Answer:
        """Return the answer to a GET, redirects followed where the source says so, tried again where it may be.

        An answer has at most `most` bytes; null: as the source says. Raises `NotSentError`, `NoAnswerError` and
        `BadAnswerError`.
        """
        try:
            answer = self._got(path, most)
        except ClosedError:
            return self._got(path, most)
        return self._got(path, most) if answer.status in self.source.transient else answer

    def send(self, method: str, path: str, body: bytes | None, key: str) -> int:
        """Send a request that makes an effect, and return the answer's status.

        Raises `NotSentError` and `NoAnswerError`; what the answer holds besides its status changes nothing.
        """
        headers = {**self._headers, "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.source.idempotency is not None:
            headers[self.source.idempotency] = key
        with _until(self.source.timeout_s), _told(), self._stream(self._acting, method, path, headers, body) as answer:
            return answer.status_code

    def close(self) -> None:
        """Close the connections."""
        self._reading.close()
        self._acting.close()

    def _got(self, path: str, most: int | None) -> Answer:
        with _until(self.source.timeout_s), _told():
            for _ in range(self.source.redirects + 1):
                with self._stream(self._reading, "GET", path, self._headers, None) as answer:
                    if answer.status_code not in _REDIRECTS:
                        return self._taken(answer, most or self.source.answer_bytes)
                    path = self._redirected(answer)
        raise BadAnswerError("it is a redirect, and the source says nothing of following so many")

    def _stream(
        self, client: httpx.Client, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> AbstractContextManager[httpx.Response]:
        return client.stream(method, self._base + path, headers=headers, content=body, follow_redirects=False)

    def _redirected(self, answer: httpx.Response) -> str:
        """Return where a redirect leads within the service. Raises `BadAnswerError` where it leads elsewhere."""
        target = str(answer.url.join(answer.headers.get("location", "")))
        if not self.source.redirects:
            raise BadAnswerError("it is a redirect, and the source says nothing of following any")
        if not target.startswith(f"{self._base}/"):
            raise BadAnswerError("it is a redirect to somewhere else")
        return target.removeprefix(self._base)

    def _taken(self, answer: httpx.Response, bound: int) -> Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if headers.get("content-encoding", "identity") != "identity":
            raise BadAnswerError("it is compressed, which was not asked for")
        body = bytearray()
        for chunk in answer.iter_raw(_CHUNK_BYTES):
            body += chunk
            if len(body) > bound:
                raise BadAnswerError(f"it is longer than {bound} bytes")
        return Answer(answer.status_code, headers, bytes(body))


def _client(source: HTTPSource, context: ssl.SSLContext, *, keeps: int) -> httpx.Client:
    # Whatever cookie a service sets is forgotten: what was read for one must not change what is read for the next.
    forgetful = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    transport = _Transport(context, keeps=keeps)
    return httpx.Client(transport=transport, trust_env=False, timeout=source.timeout_s, cookies=forgetful)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the library raises into what it means for the request."""
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
        raise NotSentError(type(error).__name__) from error
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise ClosedError(type(error).__name__) from error
    except (httpcore.TimeoutException, httpcore.ProtocolError, httpx.HTTPError) as error:
        raise NoAnswerError(type(error).__name__) from error


def _base(source: HTTPSource, base: str) -> str:
    """Return the base URL without its last slash."""
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL:
        raise RouteError(f"the URL of `{source.name}` can't be read; it looks like `https://api.example/v1`") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise RouteError(f"the URL of `{source.name}` is no base URL; it looks like `https://api.example/v1`")
    if url.scheme == "http" and url.host not in _LOOPBACK and not source.unencrypted:
        message = f"the URL of `{source.name}` isn't encrypted; write `unencrypted` behind the source if that is meant"
        raise RouteError(message)
    return str(url).rstrip("/")


def _authorization(source: HTTPSource, auth: Auth, credential: str | None) -> str:
    if not credential or not credential.isascii() or not credential.isprintable():
        raise RouteError(f"the source `{source.name}` needs its credential in the environment variable {auth.env}")
    match auth.kind:
        case AuthKind.BEARER:
            return f"Bearer {credential}"
        case AuthKind.BASIC:
            return "Basic " + base64.b64encode(credential.encode("ascii")).decode("ascii")
        case AuthKind.HEADER:
            return credential
