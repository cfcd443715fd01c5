"""Clients of the MCP server: the SDK's own, over each way to reach it."""

import json
import os
import socket
import sys
import threading
import time
from contextlib import asynccontextmanager, contextmanager

import httpx2
import uvicorn
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from edca.mcp import Identities, Identity, http_app, identify_by_token, serve

TOKEN, OTHER = (f"a-token-that-nobody-guesses-{number}" for number in (1, 2))


def of_one(kernel, caller, *, cases=None, **options):
    """A server over one kernel, for one caller."""
    return serve(kernel, lambda _: ("one", Identity(caller, cases=cases)), **options).server


def stdio(desk, *options, principal="desk-bot", role="assistant"):
    """How to start `edca mcp` over the desk's files."""
    files = [desk.files["refund.edca"], "--routes", desk.files["refund.arp"], "--roster", desk.files["roster.toml"]]
    command = ["-m", "edca.cli", "mcp", *map(str, files), "--ledger", str(desk.folder / "refunds.ledger")]
    command += ["--source", f"shop=sqlite:///{desk.shop}", "--now", "2026-03-20T12:00:00Z"]
    command += ["--as", principal, "--role", role, "--for", "carla", *options]
    if role == "assistant":
        command += ["--model", desk.bot.model]
    return StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))


@contextmanager
def http(kernels, tokens, **options):
    """A server on a real socket, with the address to reach it at."""
    app = http_app(serve(kernels, identify_by_token, **options), Identities.of_tokens(tokens))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join(20)


@asynccontextmanager
async def connected(address, token, **options):
    """A client of such a server."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as given:
        async with Client(streamable_http_client(address, http_client=given), **options) as client:
            yield client


def text_of(result):
    """The one text of a result, as JSON."""
    (content,) = result.content if hasattr(result, "content") else result.contents
    return json.loads(content.text)
