"""Telling clients that their list of tools has changed: each whose own list did, and nobody else.

Clients of revision 2026-07-28 listen on a stream that they have opened (`subscriptions/listen`); to those of older
revisions a notification is sent on the connection on which they have asked for the list.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from edca.api import as_mcp
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import mcp_types as types

    from edca.api import Tool, Toolset
    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession

    InThread: TypeAlias = "Callable[[Callable[[], tuple[Tool, ...]]], Awaitable[tuple[Tool, ...]]]"

LISTENERS_MAX = 64  # streams that one caller may hold open at one time
_SESSIONS_MAX = 64  # connections of older clients that are told, for each caller; the newest
_FORGOTTEN_AFTER_S = 1800.0  # a connection that has asked for nothing so long is told no more
_TOLD_WITHIN_S = 1.0  # a connection takes a notification in so long, or isn't read
_LOG = logging.getLogger("edca.mcp")


@dataclass(slots=True)
class _Watched:
    """One caller: their tools, what their list was when they were last told, and where they are told."""

    toolset: Toolset
    known: bytes
    bus: InMemorySubscriptionBus
    handler: ListenHandler
    listening: int = 0
    sessions: dict[str, tuple[ServerSession, float]] = field(default_factory=dict)

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits to be told."""
        return self.listening > 0 or bool(self.sessions)


class Watching:
    """Looks, from time to time and after every call, whose list has changed. It belongs to one event loop."""

    def __init__(self, every_s: float, in_thread: InThread) -> None:
        """Begin with nobody who waits. `in_thread` runs what reads, away from the event loop."""
        self._every_s = every_s
        self._in_thread = in_thread
        self._watched: dict[str, _Watched] = {}
        self._soon = anyio.Event()

    def seen(self, who: str, toolset: Toolset, tools: Sequence[Tool], ctx: ServerRequestContext[Any, Any]) -> None:
        """Note that a caller has been given their list."""
        watched = self._of(who, toolset)
        if watched.is_awaited:
            self.look_soon()  # others of theirs may know an older list
        else:
            watched.known = fingerprint(tools)
        if ctx.session.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            headers = getattr(ctx.request, "headers", {})
            connection = headers.get(MCP_SESSION_ID_HEADER, "")
            watched.sessions.pop(connection, None)
            watched.sessions[connection] = (ctx.session, time.monotonic())
            while len(watched.sessions) > _SESSIONS_MAX:
                del watched.sessions[next(iter(watched.sessions))]

    async def listen(
        self,
        who: str,
        toolset: Toolset,
        ctx: ServerRequestContext[Any, Any],
        params: types.SubscriptionsListenRequestParams,
    ) -> types.SubscriptionsListenResult:
        """Serve one stream until the client leaves."""
        watched = self._of(who, toolset)
        if not watched.is_awaited:
            watched.known = fingerprint(await self._in_thread(toolset.tools))
        watched.listening += 1
        try:
            return await watched.handler(ctx, params)
        finally:
            watched.listening -= 1

    def look_soon(self) -> None:
        """Look now rather than later: something may have changed."""
        self._soon.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            with anyio.move_on_after(self._every_s):
                await self._soon.wait()
            self._soon = anyio.Event()
            for watched in list(self._watched.values()):
                await self._look(watched)

    async def _look(self, watched: _Watched) -> None:
        oldest = time.monotonic() - _FORGOTTEN_AFTER_S
        watched.sessions = {one: found for one, found in watched.sessions.items() if found[1] > oldest}
        if not watched.is_awaited:
            return
        try:
            now = fingerprint(await self._in_thread(watched.toolset.tools))
        except Exception:  # what can't be read now may be read the next time; who asks for the list is told so
            _LOG.exception("a list of tools can't be told")
            return
        if now == watched.known:
            return
        watched.known = now
        await watched.bus.publish(ToolsListChanged())
        for connection, (session, _) in list(watched.sessions.items()):
            if not await _is_told(session):
                watched.sessions.pop(connection, None)

    def _of(self, who: str, toolset: Toolset) -> _Watched:
        found = self._watched.get(who)
        if found is None:
            bus = InMemorySubscriptionBus()
            found = _Watched(toolset, b"", bus, ListenHandler(bus, max_subscriptions=LISTENERS_MAX))
            self._watched[who] = found
        return found


async def _is_told(session: ServerSession) -> bool:
    """Tell one connection. One that isn't read, or fails, holds up nobody else, and is told no more."""
    try:
        with anyio.move_on_after(_TOLD_WITHIN_S) as waiting:
            await session.send_tool_list_changed()
    except Exception:  # whatever a connection fails with, the others wait to be told
        _LOG.exception("a connection can't be told that its list has changed")
        return False
    return not waiting.cancelled_caught


def fingerprint(tools: Sequence[Tool]) -> bytes:
    """Return 32 bytes that are others as soon as the tools are."""
    return hashlib.sha256(json.dumps(as_mcp(tools), sort_keys=True).encode("ascii")).digest()
