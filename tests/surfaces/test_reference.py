"""Goal: docs/reference/cli.md is what `--help` says. `EDCA_UPDATE_GOLDEN=1` writes it anew."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.cli.main import COMMANDS

Edca = Callable[..., Any]  # see conftest.py

_HEAD = """# The command line

<!-- Generated from --help by tests/surfaces/test_reference.py; EDCA_UPDATE_GOLDEN=1 writes it anew. -->

Exit codes: **0** done; **1** findings: diagnostics, a failing scenario, a ledger that does not verify or replay, or a
trial that could not be run whole; **2** wrong usage, or work that can't be done. A verdict is output and never an exit
code, unless `--fail-on` asks. `--json` writes one document with sorted keys on stdout; errors, hints and progress go to
stderr.

"""

# A command of several has a page for each.
_PARTS = {"routes": ("check", "plan")}
_NAMES = [f"{name} {part}".strip() for name in COMMANDS for part in ("", *_PARTS.get(name, ()))]


def _reference(edca: Edca) -> str:
    parts = [("edca", edca("--help").out), *((f"edca {name}", edca(*name.split(), "--help").out) for name in _NAMES)]
    return _HEAD + "\n".join(f"## {title}\n\n```text\n{text.strip()}\n```\n" for title, text in parts)


def test_the_reference_is_current(edca: Edca, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The width of the help is the terminal's, up to 80 columns.
    monkeypatch.setenv("COLUMNS", "80")
    path = repository / "docs" / "reference" / "cli.md"
    text = _reference(edca)
    if os.environ.get("EDCA_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
