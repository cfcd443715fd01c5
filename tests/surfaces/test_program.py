"""Goal: the program itself: its help, its exit codes, and messages that say what to do next, never a traceback."""

import importlib
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.cli.main import COMMANDS
from edca.ledger.sqlite import SQLiteLedger

Edca = Submit = Callable[..., Any]  # see conftest.py

LEDGER_COMMANDS = (["verify"], ["log"], ["replay"], ["explain", "0", "--ledger"])


def test_help_lists_every_command_and_is_quick(edca: Edca) -> None:
    ran = edca("--help")
    assert ran.code == 0
    assert all(f"  {name} " in ran.out for name in COMMANDS)
    loaded = "import sys; from edca.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    slow = "sys.exit(any(name in sys.modules for name in ('lark', 'pydantic', 'sqlalchemy')))"
    assert subprocess.run([sys.executable, "-c", loaded + slow], capture_output=True, check=False).returncode == 0


def test_version(edca: Edca) -> None:
    assert edca("--version").out.startswith("edca ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_the_listed_summary(edca: Edca, name: str) -> None:
    ran = edca(name, "--help")
    assert ran.code == 0
    assert "Example:" in ran.out and f"    edca {name} " in ran.out
    app = importlib.import_module(f"edca.cli.commands.{name.replace('-', '_')}").app
    is_group = app.registered_callback is not None
    if is_group:
        for command in app.registered_commands:
            of_part = edca(name, command.callback.__name__, "--help").out
            assert f"    edca {name} {command.callback.__name__} " in of_part and "--json" in of_part
    assert is_group or "--json" in ran.out
    callback = app.registered_callback.callback if is_group else app.registered_commands[0].callback
    assert callback.__doc__.splitlines()[0] == COMMANDS[name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Usage:"),
        (("--bogus",), "edca: error: no such option: --bogus\nedca: hint: run `edca --help`\n"),
        (("explain", "-1"), "edca: error: no such option: -1\nedca: hint: run `edca explain --help`\n"),
        (("verify", "x", "--expect-size", "y"), "edca: error: invalid value for `--expect-size`: "),
        (("chekc",), "did you mean `edca check`?"),
        (("verify",), "edca: error: missing argument `LEDGER`\n"),
        (("verify", "nowhere.ledger"), "there is no ledger at"),
        (("verify", "x", "--expect-root", "zz"), "64 hexadecimal digits"),
        (("check", "nowhere.edca"), "no such file"),
        (("check", "."), "this is a folder"),
        (("explain", "3"), "which ledger"),
        (("explain", "t00"), "neither a record's index nor"),
        (("log", "nowhere.ledger"), "there is no ledger at"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(
    edca: Edca, arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = edca(*arguments)
    assert ran.code == 2
    assert message in ran.err + ran.out


def test_a_code_is_explained(edca: Edca) -> None:
    assert "unknown-attribute" in edca("explain", "T003").out
    assert edca("explain", "t003", "--json").json["name"] == "unknown-attribute"


@pytest.mark.parametrize("command", LEDGER_COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("seed", range(3))
def test_garbage_for_a_ledger_is_told_and_not_a_traceback(
    edca: Edca, tmp_path: Path, command: list[str], seed: int
) -> None:
    path = tmp_path / "garbage"
    noise = random.Random(seed).randbytes(5000)  # noqa: S311
    path.write_bytes(b"" if seed == 0 else noise if seed == 1 else b"SQLite format 3\x00" + noise)
    ran = edca(*command, path)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err and "check that the path is that of a ledger" in ran.err


@pytest.mark.parametrize("command", LEDGER_COMMANDS[1:], ids=lambda command: command[0])
def test_a_damaged_ledger_points_to_verify(edca: Edca, ledger: Path, command: list[str]) -> None:
    content = ledger.read_bytes()
    ledger.write_bytes(content.replace(b"edca.record/1", b"edca.record/2"))
    ran = edca(*command, ledger)
    # The log lists what is left; of one record nothing is left, and of a replay neither.
    assert ran.code == (1 if command[0] == "log" else 2)
    assert "edca verify" in ran.err
    verified = edca("verify", ledger)
    assert verified.code == 1
    assert "record 0: " in verified.out


def test_a_busy_ledger_says_so(ledger: Path, submit: Submit) -> None:
    with SQLiteLedger.open(ledger):
        ran = submit({"transition": "sell_seat", "arguments": {}})
    assert ran.code == 2
    assert "another process is writing" in ran.err and "hint:" in ran.err


def test_the_page_of_a_code_is_printed(edca: Edca, repository: Path) -> None:
    written = (repository / "docs" / "errors" / "T003.md").read_text(encoding="utf-8")
    assert edca("explain", "T003").out == written
    assert edca("explain", "T003", "--json").json["page"] == written


def test_findings_are_written_for_code_scanning_and_for_workflows(edca: Edca, tmp_path: Path) -> None:
    spec = tmp_path / "bad.edca"
    spec.write_text("edca 2\n", encoding="utf-8")
    ran = edca("check", spec, "--error-format", "sarif")
    assert ran.code == 1
    assert ran.json["runs"][0]["results"][0]["level"] == "error"
    ran = edca("check", spec, "--error-format", "github")
    assert ran.code == 1
    assert ran.out.startswith("::error file=")


def test_a_clean_spec_is_an_empty_log(edca: Edca, theatre: Path) -> None:
    ran = edca("check", theatre / "seats.edca", "--error-format", "sarif")
    assert (ran.code, ran.json["runs"][0]["results"]) == (0, [])
    assert edca("check", theatre / "seats.edca", "--error-format", "github").out == ""
