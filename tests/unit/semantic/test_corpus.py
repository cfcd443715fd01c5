"""Goal: every mistake in the checker's corpus is found on its line, once, in the expected words; nothing else is."""

import os
import re
from pathlib import Path

import pytest

from edca.api.imports import reader
from edca.diagnostics import CODES, Diagnostic, Source, human, ordered
from edca.semantic.compile import compile_spec
from edca.semantic.scenario import run_scenarios

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
FOLDER = CORPUS / "check"
FILES = sorted([*FOLDER.glob("*.edca"), *(CORPUS / "analysis").glob("*.edca")])
GOLDEN = CORPUS / "render" / "ten_mistakes.txt"
EXPECTED = re.compile(r'([A-Z][0-9]{3}) "((?:[^"\\]|\\.)*)"')
READ = reader((FOLDER / "spec.edca").as_posix())  # what the corpus imports stands in its folder `words`
PRELUDE = (FOLDER / "prelude.txt").read_text("utf-8")

# Codes that no spec can be given for yet, each with the reason.
WITHOUT_CASE = {
    "N013": "found by comparing a spec with its routes, in `routing`",
    "N016": "an unknown claim is an unknown name, N001",
}


def _chunks(path: Path) -> list[str]:
    return re.split(r"(?m)^---\n", path.read_text("utf-8"))


def _found(source: Source) -> tuple[Diagnostic, ...]:
    """All findings of a compilation and, where it succeeds, of running the spec's scenarios."""
    compiled = compile_spec(source, READ)
    found = compiled.diagnostics
    if compiled.machine is not None and compiled.spec is not None and compiled.checked is not None:
        found += run_scenarios(compiled.spec, compiled.checked, compiled.machine)[1]
    return ordered(found, cap=None).diagnostics


def test_the_prelude_is_sound() -> None:
    # What it declares is there to be used by the chunks below it.
    assert {one.code.id for one in _found(Source("prelude", PRELUDE))} == {"N014"}


@pytest.mark.parametrize(
    ("name", "chunk"),
    [pytest.param(path.name, chunk, id=f"{path.stem}-{i}") for path in FILES for i, chunk in enumerate(_chunks(path))],
)
def test_findings_stand_where_expected(name: str, chunk: str) -> None:
    # The comment that states what is expected mustn't change what is read: an open quote would swallow it.
    lines = [line.partition("###") for line in chunk.splitlines()]
    text = "\n".join(before for before, _, _ in lines)
    shift = 0 if text.startswith("edca") else PRELUDE.count("\n")
    source = Source(name, text if shift == 0 else PRELUDE + text)
    expected = [
        (number + shift, code, pattern)
        for number, (_, _, note) in enumerate(lines, start=1)
        for code, pattern in EXPECTED.findall(note)
    ]
    found = [(d.primary.span.line, d.code.id, d.message) for d in _found(source)]
    found = [one for one in found if one[0] > shift or one[1] != "N014"]
    missing = [e for e in expected if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for f in found)]
    surplus = [f for f in found if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for e in expected)]
    assert (missing, surplus) == ([], [])
    assert len(found) == len(expected)


def test_every_code_of_the_checker_has_a_case() -> None:
    covered = {code for path in FILES for code, _ in EXPECTED.findall(path.read_text("utf-8"))}
    wanted = {code for code in CODES if code[0] in "NTC"}
    assert wanted - covered == set(WITHOUT_CASE) & wanted
    assert not covered & set(WITHOUT_CASE), "strike out what has a case now"


def test_ten_mistakes_give_ten_findings_in_one_run() -> None:
    text = "".join(f"{line.partition('###')[0].rstrip()}\n" for line in _ten_mistakes().splitlines())
    found = _found(Source("ten_mistakes.edca", text))
    assert len({diagnostic.code.id for diagnostic in found}) == len(found) == 10
    rendered = human(found)
    if os.environ.get("EDCA_UPDATE_GOLDEN"):
        GOLDEN.write_text(rendered, "utf-8")
    assert rendered == GOLDEN.read_text("utf-8")


def _ten_mistakes() -> str:
    return (FOLDER / "ten_mistakes.edca").read_text("utf-8")
