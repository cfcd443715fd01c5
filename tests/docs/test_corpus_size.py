"""Goal: the corpus of bad specs stays as large as it has become, and whatever it shows is explained on a page."""

import re

import pages

from edca.diagnostics import CODES

CORPUS = pages.DOCS.parent / "tests" / "corpus"
CASES_MIN, CODES_MIN = 150, 60
_EXPECTED = re.compile(r'([A-Z][0-9]{3}) "(?:[^"\\]|\\.)*"')


def _cases() -> list[set[str]]:
    """The codes that each bad spec of the corpus earns."""
    files = [path for folder in ("syntax", "check", "analysis") for path in sorted((CORPUS / folder).glob("*.edca"))]
    chunks = [chunk for path in files for chunk in re.split(r"(?m)^---\n", path.read_text("utf-8"))]
    notes = ["\n".join(line.partition("###")[2] for line in chunk.splitlines()) for chunk in chunks]
    return [set(codes) for note in notes if (codes := _EXPECTED.findall(note))]


def test_there_are_many_bad_specs_of_many_kinds() -> None:
    cases = _cases()
    assert len(cases) >= CASES_MIN
    assert len(set().union(*cases)) >= CODES_MIN


def test_every_code_of_a_case_exists_and_has_a_page() -> None:
    shown = set().union(*_cases())
    assert shown <= set(CODES)
    assert [code for code in sorted(shown) if not (pages.DOCS / "errors" / f"{code}.md").exists()] == []
