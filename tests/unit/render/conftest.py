"""Shared by the tests of rendering: specs compiled, and their pages; `strategies` becomes importable."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edca.diagnostics import Source, human
from edca.semantic.compile import Compiled, compile_spec
from edca.semantic.render.page import Page
from edca.semantic.render.signoff import signoff

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "property"))

Compile = Callable[[str], Compiled]


@pytest.fixture(scope="session")
def compiled() -> Compile:
    """Compile a text that has no mistake."""

    def run(text: str) -> Compiled:
        found = compile_spec(Source("test.edca", text))
        assert found.machine is not None, human(found.diagnostics)
        return found

    return run


@pytest.fixture(scope="session")
def page_of(compiled: Compile) -> Callable[[str], Page]:
    """Return the page of a text."""

    def run(text: str) -> Page:
        found = compiled(text)
        assert found.spec is not None and found.checked is not None and found.machine is not None
        return signoff(found.checked, found.machine)

    return run


@pytest.fixture(scope="session")
def refund() -> str:
    """The text of the refund spec."""
    return (Path(__file__).parents[3] / "specs" / "refund" / "refund.edca").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def permits() -> str:
    """The text of a spec with one of each construct."""
    path = Path(__file__).parents[2] / "corpus" / "render_spec" / "permits.edca"
    return path.read_text(encoding="utf-8")
