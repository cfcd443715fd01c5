"""Goal: every code that can be given has a page; its example earns exactly that code, and the way out earns none."""

import dataclasses
import re
import sqlite3
from pathlib import Path

import pages
import pytest

from edca.diagnostics import CODES, Diagnostic, Source, human
from edca.ledger.errors import LedgerError
from edca.routing import check_descriptions, check_live, clashes, load, open_engine
from edca.semantic.compile import compile_spec
from edca.semantic.migration import compile_map
from edca.semantic.scenario import run_scenarios

# Codes of the list that nothing gives yet. One that is given belongs into a page and out of this set.
NOT_GIVEN = {"N016"}

FOLDER = pages.DOCS / "errors"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
README = (FOLDER / "README.md").read_text("utf-8")
SPEC = pages.blocks((pages.DOCS / "reference" / "language.md").read_text("utf-8"))[0].text
ROUTES, SCHEMA, SERVICE = (
    next(block.text for block in pages.blocks(README) if block.language == name) for name in ("arp", "sql", "json")
)
LEDGER = "L"  # the phase of what can go wrong with a ledger: its examples are Python
READ = pages.reader(README)  # what the examples import
OLD, NEW, MAP = (block.text for block in pages.blocks((pages.DOCS / "reference" / "maps.md").read_text("utf-8")))
PARTS = ["What it means", "Why", "Example", "Write instead"]


def found_in_map(example: pages.Block) -> tuple[Diagnostic, ...]:
    """Return what a map is told, or the map of the reference where the example is part of the old version."""
    old, text = (OLD, example.text) if example.language == "migration" else (pages.completed(OLD, example), MAP)
    before, after = (compile_spec(Source("refund.edca", spec)) for spec in (old, NEW))
    assert before.machine is not None, human(before.diagnostics)
    assert after.machine is not None, human(after.diagnostics)
    return compile_map(Source("refund.migration", text), before.machine, after.machine).diagnostics


def found_in(example: pages.Block) -> tuple[Diagnostic, ...]:
    """Return what is found in a whole spec, or in routes, on the way that `Kernel.open` takes; or in a map."""
    if example.language == "migration" or "old" in example.options:
        return found_in_map(example)
    spec = SPEC if example.language == "arp" else pages.completed(SPEC, example)
    compiled = compile_spec(Source("refund.edca", spec), READ)
    compiled = dataclasses.replace(compiled, diagnostics=pages.of_whole(example, compiled.diagnostics))
    if compiled.machine is None or compiled.spec is None or compiled.checked is None:
        return compiled.diagnostics
    _, wrong = run_scenarios(compiled.spec, compiled.checked, compiled.machine)
    text = pages.completed(ROUTES, example) if example.language == "arp" else ROUTES
    loaded = load(Source("shop.arp", text), compiled.machine)
    found = (*compiled.diagnostics, *wrong)
    if loaded.routes is None:
        # Examples of specs may declare what the routes here don't know.
        return (*found, *loaded.diagnostics) if example.language == "arp" else found
    described = check_descriptions(loaded.routes, lambda _: SERVICE.encode())
    found = (*found, *loaded.diagnostics, *clashes(compiled.spec, loaded.routes), *described)
    if found:
        return found
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(SCHEMA)
    engine = open_engine("sqlite://", creator=lambda: database)
    try:
        return check_live(loaded.routes, {"shop": engine})
    finally:
        engine.dispose()
        database.close()


def test_every_code_has_a_page_and_no_page_is_left_over() -> None:
    assert [path.stem for path in PAGES] == sorted(set(CODES) - NOT_GIVEN)


def test_the_codes_without_a_page_are_given_nowhere() -> None:
    roots = (pages.DOCS.parent / name for name in ("kernel", "dsl", "semantic", "routing", "surfaces"))
    # `problems.py` names codes that it keeps silent.
    files = [path for root in roots for path in root.rglob("*.py") if path.name not in ("codes.py", "problems.py")]
    given = {code for path in files for code in re.findall(r'"([A-Z][0-9]{3})"', path.read_text("utf-8"))}
    assert not given & NOT_GIVEN


def test_the_spec_and_the_routes_of_the_examples_have_no_mistake() -> None:
    assert found_in(pages.Block("arp", {}, "", 0)) == ()


def raised_in(example: pages.Block) -> str | None:
    """Run a page's Python in the folder at hand, and return the code of the ledger error that it ends with."""
    assert example.language == "python"
    try:
        exec(compile(example.text, "example", "exec"), {"__name__": "example"})  # noqa: S102  our own page
    except LedgerError as error:
        return error.code
    return None


@pytest.mark.parametrize("path", [path for path in PAGES if path.stem.startswith(LEDGER)], ids=lambda path: path.stem)
def test_a_page_about_ledgers_raises_its_code_and_shows_a_way_out(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = path.read_text("utf-8")
    sections = pages.sections(page)
    assert page.startswith(f"# {path.stem} {CODES[path.stem].name}\n")
    assert list(sections) == ["What it means", "Why", "Example", "What to do"]
    (example,), (instead,) = pages.blocks(sections["Example"]), pages.blocks(sections["What to do"])
    for name, block, code in (("example", example, path.stem), ("instead", instead, None)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert raised_in(block) == code


def test_every_ledger_error_has_a_code_of_its_own() -> None:
    def all_of(kind: type[LedgerError]) -> list[type[LedgerError]]:
        return [kind, *(below for one in kind.__subclasses__() for below in all_of(one))]

    kinds = [kind for kind in all_of(LedgerError) if kind.__module__ == LedgerError.__module__]
    assert sorted(kind.code for kind in kinds) == [code for code in CODES if code.startswith(LEDGER)]


@pytest.mark.parametrize(
    "path", [path for path in PAGES if not path.stem.startswith(LEDGER)], ids=lambda path: path.stem
)
def test_a_page_shows_its_code_and_a_way_out(path: Path) -> None:
    page = path.read_text("utf-8")
    sections = pages.sections(page)
    assert page.startswith(f"# {path.stem} {CODES[path.stem].name}\n")
    assert list(sections) == PARTS
    (example,), (instead,) = pages.blocks(sections["Example"]), pages.blocks(sections["Write instead"])
    found = found_in(example)
    assert {one.code.id for one in found} == {path.stem}, human(found)
    assert found_in(instead) == (), human(found_in(instead))
