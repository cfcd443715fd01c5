"""Goal: the pages of docs/errors are what `page` gives, letter for letter."""

from pathlib import Path

import pytest

from edca.diagnostics import CODES, Code, page

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "errors"


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.id)
def test_a_code_has_the_page_of_the_documentation(code: Code) -> None:
    path = FOLDER / f"{code.id}.md"
    assert page(code) == (path.read_text("utf-8") if path.exists() else None)


def test_a_code_without_a_page_has_none() -> None:
    assert page(Code("T999", "no-such-code", "None.")) is None
