"""Goal: whole recorded runs through the MCP server, with the SDK's client, come to the library's very verdicts."""

import dataclasses
import json
import sqlite3
from contextlib import ExitStack, closing

import anyio
import anyio.from_thread
import pytest
from mcp.client.client import Client
