"""Goal: who follows a page from top to bottom, block by block, gets what the page says."""

import contextlib
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pages
import pytest

from edca.cli.main import main

REPOSITORY = pages.DOCS.parent
# The pages that are followed, and the files of the repository that each says it begins with.
FOLLOWED = {
    "tutorial/first-spec.md": (),
    "how-to/check-a-spec.md": (),
    "how-to/test-a-spec.md": (),
    "how-to/embed.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "reference/views.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/write-routes.md": ("refund.edca", "shop.sql", "refund-http.arp", "shop-api.json"),
    "how-to/govern-reads.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/keep-limits.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/run-timers.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/sign-off.md": ("refund.edca",),
    "how-to/migrate-cases.md": (
        "refund.edca",
        "refund.arp",
        "roster.toml",
        "shop.sql",
        "next/refund.edca",
        "next/from-1.0.0.migration",
    ),
    "how-to/operate.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/settle-effects.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/replay-a-ledger.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/prove-a-record.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/read-a-refusal.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/put-edca-in-front-of-an-agent.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/serve-mcp.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
    "how-to/answer-an-escalation.md": ("refund.edca", "refund.arp", "roster.toml", "shop.sql"),
}


def test_the_servers_of_a_page_start_as_it_says(tmp_path: Path) -> None:
    """What clients are configured with, and the command for HTTP, which following a page only reads."""
    name = "how-to/serve-mcp.md"
    for file in FOLLOWED[name]:
        shutil.copy(REPOSITORY / "specs" / "refund" / file, tmp_path / file)
    read = pages.blocks((pages.DOCS / name).read_text("utf-8"))
    made = next(block for block in read if block.language == "python")
    identities = next(block for block in read if block.options.get("file") == "identities.toml")
    (tmp_path / "identities.toml").write_text(identities.text, "utf-8")
    subprocess.run([sys.executable, "-c", made.text], cwd=tmp_path, check=True)
    configured = json.loads(next(block.text for block in read if block.language == "json"))
    (server,) = configured["mcpServers"].values()
    command = shlex.split(next(block.text for block in read if block.language == "console").splitlines()[0])
    assert (server["command"], command[:2]) == ("edca", ["$", "edca"])
    shared = server["args"][: server["args"].index("--as")]
    assert command[2 : command.index("--http")] == shared, "what isn't about who calls is given to both"
    started = [sys.executable, "-m", "edca.cli", *server["args"]]
    ended = subprocess.run(started, cwd=tmp_path, input=b"", capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page_can_be_followed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in FOLLOWED[name]:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / "specs" / "refund" / file, tmp_path / file)
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {"__name__": "page"}
    output = ""
    for block in pages.blocks((pages.DOCS / name).read_text("utf-8")):
        where = f"{name}:{block.line}"
        match block.language:
            case _ if "file" in block.options:
                file = tmp_path / block.options["file"]
                file.parent.mkdir(exist_ok=True)
                with file.open("a" if "append" in block.options else "w") as written:
                    written.write(block.text)
            case "sh":
                output = run(block.text, int(block.options.get("exit", "0")), where)
            case "python":
                output = execute(block.text, known, where)
            case "text":
                assert pages.compared(block.text, output), f"{where}: the page shows\n{block.text}\nbut it is\n{output}"
            case _:
                continue


def run(script: str, expected: int, where: str) -> str:
    """Run a shell block, and return what it prints."""
    commands = [shlex.split(line) for line in script.replace("\\\n", " ").splitlines()]
    if all(command[0] == "edca" for command in commands):
        # In this process: starting the program takes longer than what it does.
        results = [call(command[1:]) for command in commands]
        code, output = max(code for code, _ in results), "".join(printed for _, printed in results)
    else:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-ec", script],
            env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        code, output = done.returncode, done.stdout
    assert code == expected, f"{where}: exit code {code}\n{output}"
    return output


def call(arguments: list[str]) -> tuple[int, str]:
    """Run the program `edca`, and return its exit code and what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code, printed.getvalue()


def execute(text: str, known: dict[str, Any], where: str) -> str:
    """Execute a Python block among the names of those before it, and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, where, "exec"), known)  # noqa: S102 -- the repository's own pages
    return printed.getvalue()
