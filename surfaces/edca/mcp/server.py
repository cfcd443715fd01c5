"""The server: lists, calls and resources of the protocol, each for the caller whom the host has identified.

- A **tool** is a transition that is legal now, or a query that the role may ask. Whoever calls one, listed or not, has
  proposed or asked: the kernel decides, and what comes back is what a model may be told.
- A **resource** is a view, or the meaning of states.
- What a client is told of a fault is the same whatever the fault was; operators find it in the log.

When what somebody may do changes, they are told that their list has changed, and nobody else is: that something moved
is itself something that not everybody may know.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import quote, unquote

import anyio
import anyio.to_thread
import mcp_types as types
from pydantic import ValidationError

from edca.api import OverloadedError, ToolKind, Toolset, as_mcp
from edca.kernel.types import IntType
from edca.mcp.watching import Watching
from edca.semantic.candidate import KEY_MAX
from edca.semantic.handles import SECRET_SIZE
from edca.semantic.unpublished import is_published
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.shared.exceptions import MCPError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from edca.api import Kernel
    from edca.api.toolset import Vouch
    from edca.mcp.identities import Identity
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.models import InitializationOptions

    Context: TypeAlias = "ServerRequestContext[Any, Any]"
    Identify: TypeAlias = "Callable[[Context], tuple[str, Identity] | None]"

_T = TypeVar("_T")
SCHEME = "edca"
MEANINGS = f"{SCHEME}://states"
CREATION = f"{SCHEME}://view"
KEY_META = "edca/key"
"""The member of a call's `_meta` that is the candidate's idempotency key: for client programs, never for models."""
CALLS_MAX = 64  # kernel calls under way at one time
WATCH_EVERY_S = 2.0
_JSON = "application/json"
_NOT_SERVED = "the request could not be served; try again later"
_NOT_FOUND = "there is no such resource"
_LOG = logging.getLogger("edca.mcp")

TOLD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "outcome": {"type": "string", "enum": ["accepted", "refused", "escalated"]},
        "codes": {"type": "array", "items": {"type": "string"}},
        "texts": {"type": "array", "items": {"type": "string"}},
        "needs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "role": {"type": "string"},
                    "count": {"type": "integer", "minimum": 1},
                },
                "required": ["code", "role", "count"],
                "additionalProperties": False,
            },
        },
        "effects": {"type": "string", "enum": ["confirmed", "failed", "undone", "timed_out", "quarantined"]},
    },
    "required": ["outcome", "codes", "texts"],
    "additionalProperties": False,
}
"""The structured result of a call: what a model is told of the verdict, and what became of its effects."""


RETURNED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "outcome": {"type": "string", "enum": ["returned", "refused"]},
        "values": {"type": "object"},
        "codes": {"type": "array", "items": {"type": "string"}},
        "texts": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["outcome"],
    "additionalProperties": False,
}
"""The structured result of a query."""


_OUTPUTS = {ToolKind.TRANSITION: TOLD_SCHEMA, ToolKind.QUERY: RETURNED_SCHEMA}


class _Server(Server[Any]):
    """The library's server, which says to clients of older revisions that they are told of changes, however they come.

    Over HTTP the library asks for these options without any word of ours.
    """

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        told = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(told, experimental_capabilities, extensions)


class Served:
    """One server over the kernels of its tenants. Use `serve`."""

    def __init__(self, kernels: Mapping[str, Kernel], identify: Identify, vouch: Vouch | None, every_s: float) -> None:
        """Use `serve`."""
        self._kernels = dict(kernels)
        self._identify = identify
        self._vouch = vouch
        self._secret = os.urandom(SECRET_SIZE)  # as long as the server runs, a caller has the same handles
        self._limiter = anyio.CapacityLimiter(CALLS_MAX)
        self._watching = Watching(every_s, self._in_thread)
        machine = next(iter(self._kernels.values())).machine
        self.server: Server[Any] = _Server(
            machine.name,
            version=machine.version,
            instructions=machine.text,
            lifespan=self._lifespan,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscriptions_listen=self._listen,
        )
        self.server.middleware.append(_abstract)

    async def _list_tools(self, ctx: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        who, toolset = self._toolset(ctx)
        tools = await self._in_thread(toolset.tools)
        self._watching.seen(who, toolset, tools, ctx)
        return types.ListToolsResult(
            tools=[
                types.Tool.model_validate(told | {"outputSchema": _OUTPUTS[tool.kind]})
                for tool, told in zip(tools, as_mcp(tools), strict=True)
            ]
        )

    async def _call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        _, toolset = self._toolset(ctx)
        key = _key(ctx)
        answer = await self._in_thread(lambda: toolset.call(params.name, params.arguments or {}, key=key))
        self._watching.look_soon()
        told = answer.to_raw()
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer.text())], structured_content=told
        )

    async def _list_resources(
        self, ctx: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        _, toolset = self._toolset(ctx)
        found = [
            _resource(MEANINGS, "states", "What each state means."),
            _resource(CREATION, "view", "What may be proposed where there is no case yet."),
        ]
        for case in toolset.cases or ():
            uri = view_uri(case[0], toolset.named(case))
            found.append(_resource(uri, uri.removeprefix(f"{CREATION}/"), "The view of a case you are here about."))
        return types.ListResourcesResult(resources=found)

    async def _list_templates(
        self, ctx: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        _, toolset = self._toolset(ctx)
        found = []
        for entity in dict.fromkeys(transition.about for transition in toolset.machine.transitions):
            entities = toolset.machine.index.entities
            names = [part.name for part in entities[entity].key] if is_published(entities, entity) else ["handle"]
            variables = "".join(f"/{{{name}}}" for name in names)
            means = f"What may be seen of one {entity}, and proposed about it now."
            template = f"{CREATION}/{entity}{variables}"
            found.append(types.ResourceTemplate(uri_template=template, name=entity, description=means, mime_type=_JSON))
        return types.ListResourceTemplatesResult(resource_templates=found)

    async def _read_resource(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        _, toolset = self._toolset(ctx)
        uri = str(params.uri)
        if uri == MEANINGS:
            told = toolset.meanings()
        else:
            told = await self._in_thread(lambda: _view(toolset, uri))
        text = json.dumps(told, ensure_ascii=False, sort_keys=True)
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=_JSON, text=text)])

    async def _listen(
        self, ctx: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        who, toolset = self._toolset(ctx)
        return await self._watching.listen(who, toolset, ctx, params)

    def _toolset(self, ctx: Context) -> tuple[str, Toolset]:
        """Return whose request it is, and their tools. Raises `MCPError` for somebody whom nobody has identified."""
        found = self._identify(ctx)
        kernel = None if found is None else self._kernels.get(found[1].tenant)
        if found is None or kernel is None:
            raise MCPError(types.INVALID_REQUEST, "nobody has said who you are")
        who, identity = found
        return who, Toolset(kernel, identity.caller, cases=identity.cases, vouch=self._vouch, secret=self._secret)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    @asynccontextmanager
    async def _lifespan(self, _server: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watching.run)
            yield {}
            tasks.cancel_scope.cancel()


def serve(
    kernels: Kernel | Mapping[str, Kernel],
    identify: Identify,
    *,
    vouch: Vouch | None = None,
    watch_every_s: float = WATCH_EVERY_S,
) -> Served:
    """Return a server over a kernel, or over one for each tenant, which stay yours to close.

    `identify` returns who makes a request, with a name that tells one caller from another; null: nobody that is known.
    `vouch` returns what you attest with a candidate. Every `watch_every_s` seconds, and after every call, it is looked
    at whose list of tools has changed, of those who wait to be told.

    Raises `ValueError` where there is no kernel, or the kernels have different machines: a tenant would see by the
    server's name that others have another one.
    """
    by_tenant = kernels if isinstance(kernels, Mapping) else {"": kernels}
    if len({kernel.machine.digest for kernel in by_tenant.values()}) != 1:
        raise ValueError("a server has at least one kernel, and the kernels of all tenants have one machine")
    return Served(by_tenant, identify, vouch, watch_every_s)


def view_uri(entity: str, key: Sequence[object]) -> str:
    """Return the address of a case's view."""
    parts = "/".join(quote(str(part), safe="") for part in key)
    return f"{CREATION}/{entity}/{parts}"


def _view(toolset: Toolset, uri: str) -> dict[str, Any]:
    """Return the view at an address. Raises `MCPError` for an address that is none, whatever there is at others."""
    if uri == CREATION:
        return dict(toolset.view().to_raw())
    entity, *parts = [unquote(part) for part in uri.removeprefix(f"{CREATION}/").split("/")]
    declared = toolset.machine.index.entities.get(entity) if uri.startswith(f"{CREATION}/") else None
    if declared is not None and not is_published(toolset.machine.index.entities, entity):
        # Such a case is named by its handle alone; a key that somebody has guessed is no handle, and names nothing.
        return dict(toolset.view((entity, "/".join(parts))).to_raw())
    if declared is None or len(parts) != len(declared.key):
        raise MCPError(types.INVALID_PARAMS, _NOT_FOUND)
    key = tuple(_raw(part.type, text) for part, text in zip(declared.key, parts, strict=True))
    return dict(toolset.view((entity, key)).to_raw())


def _raw(type_: object, text: str) -> object:
    """Return a part of a key in raw form. What is no number stays text, which no case has as its key."""
    is_number = isinstance(type_, IntType) and re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) is not None
    return int(text) if is_number else text


def _key(ctx: Context) -> str:
    """Return the idempotency key that the client program gave. Raises `MCPError` for one that can't be used."""
    key: Any = (ctx.meta or {}).get(KEY_META, "")
    if not isinstance(key, str) or len(key) > KEY_MAX:
        raise MCPError(types.INVALID_PARAMS, f"`{KEY_META}` is a text of at most {KEY_MAX} characters")
    return key


def _resource(uri: str, name: str, means: str) -> types.Resource:
    return types.Resource(uri=uri, name=name, description=means, mime_type=_JSON)


async def _abstract(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Let no fault reach a client but those of the protocol itself."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except OverloadedError as error:
        _LOG.warning("%s: %s", ctx.method, error)
        raise MCPError(types.INTERNAL_ERROR, _NOT_SERVED) from None
    except Exception:
        _LOG.exception("%s failed", ctx.method)
        raise MCPError(types.INTERNAL_ERROR, _NOT_SERVED) from None
