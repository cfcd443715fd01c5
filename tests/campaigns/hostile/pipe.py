"""An MCP server behind a pipe, and a client that writes whatever it likes to it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desks import Desk
    from masquerade import World

ANSWER_WITHIN_S = 60.0
PING = "are you there"


class Server:
    """`edca mcp` as a child process, initialized."""

    def __init__(self, desk: Desk, world: World, folder: Path) -> None:
        """Start it."""
        name, role, model = desk.model
        roster = desk.policy.with_name("roster.toml")
        files = [str(desk.policy), "--routes", str(folder / "routes.arp"), "--roster", str(roster)]
        options = ["--ledger", str(folder / "ledger.db"), "--source", f"{world.source}=sqlite:///{world.database}"]
        who = ["--as", name, "--role", role, "--model", model, "--for", desk.subjects[0]]
        when = ["--now", "2026-03-20T12:00:00Z"]
        command = [sys.executable, "-m", "edca.cli", "mcp", *files, *options, *who, *when]
        self._errors = (folder / "errors.txt").open("wb")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=dict(os.environ)
        )
        self._errors_path = folder / "errors.txt"
        self._told: list[bytes] = []
        self._pings: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._count = 0
        client = {"name": "hostile", "version": "1"}
        begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        self.send(json.dumps({"jsonrpc": "2.0", "id": "begin", "method": "initialize", "params": begin}).encode())
        self.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')

    def send(self, message: bytes) -> None:
        """Write one line; what would end the line within it is taken out."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(message.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # `is_alive` tells

    def is_alive(self) -> bool:
        """Ask, and tell whether it answered in time."""
        self._count += 1
        asked = f"{PING} {self._count}"
        self.send(json.dumps({"jsonrpc": "2.0", "id": asked, "method": "tools/list", "params": {}}).encode())
        try:
            while self._pings.get(timeout=ANSWER_WITHIN_S) != asked:
                pass
        except queue.Empty:
            return False
        return True

    def close(self) -> bytes:
        """End it, and return all that it has said."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already
        try:
            self._process.wait(ANSWER_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(ANSWER_WITHIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
        return b"".join(self._told) + self._errors_path.read_bytes()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.append(line)
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if isinstance(answer, dict) and str(answer.get("id")).startswith(PING):
                self._pings.put(answer["id"])
