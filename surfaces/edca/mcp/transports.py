"""The two ways to reach a server: the pipes of one client that started it, and HTTP for many.

On pipes there is one caller, whom the operator names when they start the program. Over HTTP each request carries a
bearer token (RFC 6750), and without one that the operator knows nothing is told, not even what there is.
"""

from __future__ import annotations

import ipaddress
import logging
import sys
from typing import TYPE_CHECKING, Any, cast

import anyio.to_thread
import uvicorn
from starlette.responses import Response

from edca.mcp.server import Served, serve
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Mapping, Sequence

    import anyio
    from starlette.types import ASGIApp, Receive, Scope, Send

    from edca.api import Kernel
    from edca.api.toolset import Vouch
    from edca.mcp.identities import Identities, Identity
    from mcp.server.context import ServerRequestContext

MESSAGE_SIZE_MAX = 1 << 20  # bytes of one message; an answer of a model is far smaller
PATH = "/mcp"
_IDENTITY = "edca.identity"
_LOG = logging.getLogger("edca.mcp")


class InsecureError(ValueError):
    """Tokens would travel in the clear."""


async def run_stdio(kernel: Kernel, identity: Identity, *, vouch: Vouch | None = None) -> None:
    """Serve one caller over this process' standard input and output, until the input ends."""
    served = serve({identity.tenant: kernel}, lambda _: ("stdio", identity), vouch=vouch)
    lines = cast("anyio.AsyncFile[str]", _Lines())  # all that is asked of a file here is its lines
    async with stdio_server(stdin=lines) as (received, sent):
        await served.server.run(received, sent, served.server.create_initialization_options())


async def run_http(
    kernels: Kernel | Mapping[str, Kernel],
    identities: Identities,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    vouch: Vouch | None = None,
    allowed_hosts: Sequence[str] = (),
    certificate: str | os.PathLike[str] | None = None,
    private_key: str | os.PathLike[str] | None = None,
) -> None:
    """Serve many callers over HTTP, until the process is told to stop.

    Raises `InsecureError` for an address that others can reach without a certificate of its own, and what opening the
    port raises.
    """
    check_address(host, has_certificate=certificate is not None)
    app = http_app(serve(kernels, identify_by_token, vouch=vouch), identities, host=host, allowed_hosts=allowed_hosts)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    await uvicorn.Server(config).serve()


def http_app(
    served: Served, identities: Identities, *, host: str = "127.0.0.1", allowed_hosts: Sequence[str] = ()
) -> ASGIApp:
    """Return the application to be run by a server of yours, with a lifespan; its path is `/mcp`.

    `served` must identify by `identify_by_token`. `allowed_hosts` are the values of the `Host` header that are taken
    besides those of this computer (`desk.example.com`, or with any port `desk.example.com:*`).
    """
    own = ["127.0.0.1:*", "localhost:*", "[::1]:*"] if _is_own(host) else []
    hosts = [*own, *allowed_hosts, *([] if own else [host, f"{host}:*"])]
    origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in hosts]
    app = served.server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MESSAGE_SIZE_MAX,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    return _Identified(app, identities)


def identify_by_token(ctx: ServerRequestContext[Any, Any]) -> tuple[str, Identity] | None:
    """Return whom the bearer token of a request belongs to."""
    scope = getattr(ctx.request, "scope", {})
    found: tuple[str, Identity] | None = scope.get(_IDENTITY)
    return found


def check_address(host: str, *, has_certificate: bool) -> None:
    """Raise `InsecureError` where tokens would be sent in the clear to another computer."""
    if not has_certificate and not _is_own(host):
        raise InsecureError(
            f"`{host}` can be reached from elsewhere, and tokens would travel in the clear; give a certificate and its "
            "private key, or listen on 127.0.0.1 behind a proxy that has one"
        )


def _is_own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Identified:
    """Lets requests pass whose bearer token is known, and puts whose it is where clients can't."""

    def __init__(self, app: ASGIApp, identities: Identities) -> None:
        self._app = app
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        found = self._identities.find(_bearer(scope))
        if found is None:
            refused = Response("", status_code=401, headers={"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        digest, _ = found
        # By this the library keeps one caller from using a session that another has opened.
        user = AuthenticatedUser(AccessToken(token="", client_id=digest, scopes=[]))
        await self._app({**scope, "user": user, _IDENTITY: found}, receive, send)


def _bearer(scope: Scope) -> str:
    """Return the token of a request; empty where it has none, or several."""
    values = [value for name, value in scope.get("headers", ()) if name.lower() == b"authorization"]
    if len(values) != 1:
        return ""
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class _Lines:
    """Standard input, line by line, each at most `MESSAGE_SIZE_MAX` bytes: a longer one ends the connection."""

    def __aiter__(self) -> AsyncIterator[str]:
        return self._read()

    async def _read(self) -> AsyncIterator[str]:
        source = sys.stdin.buffer
        while line := await anyio.to_thread.run_sync(source.readline, MESSAGE_SIZE_MAX + 1, abandon_on_cancel=True):
            if len(line) > MESSAGE_SIZE_MAX:
                _LOG.error("a message is larger than %d bytes; the connection is closed", MESSAGE_SIZE_MAX)
                return
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                _LOG.warning("a message is not UTF-8 and is passed over")
