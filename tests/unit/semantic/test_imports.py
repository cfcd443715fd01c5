"""Goal: a spec in several files is the same machine as in one, and no import reads what lies elsewhere."""

from pathlib import Path

import pytest

from edca.api.imports import reader
from edca.diagnostics import Source, concise
from edca.semantic.compile import Compiled, compile_spec, without_machine
from edca.semantic.imports import File

MONEY = "type money = decimal(2, 0.00 to 1000.00) in eur\n"
WORDS = "entity thing key (thing_id: id) { cost: money, whole: bool }\ndefine dear = thing.cost > 100.00\n"
ROLES = "role person human\n"
RULES = """case about thing by thing_id
state open initial "Open."
state closed final "Closed." success
transition close(thing_id: id) from open to closed {
  means "Close." by person answers person
  require not dear and thing.whole else refuse r "R."
}
"""
HEAD = 'edca 1 machine m version "1"\n'
SPEC = HEAD + 'import "words/thing.edca"\nimport "words/money.edca"\n' + ROLES + RULES
FILES = {
    "words/thing.edca": 'edca 1 vocabulary thing_words\nimport "money.edca"\n' + WORDS,
    "words/money.edca": "edca 1 vocabulary money\n" + MONEY,
}


def _compile(text: str, files: dict[str, str]) -> Compiled:
    def read(path: str) -> File | None:
        return File(path, Source(path, files[path])) if path in files else None

    return compile_spec(Source("m.edca", text), read)


def _folder(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def test_several_files_are_the_machine_of_one() -> None:
    whole = _compile(HEAD + ROLES + MONEY + WORDS + RULES, {})
    parts = _compile(SPEC, FILES)
    assert whole.machine is not None and parts.machine is not None, concise(parts.diagnostics)
    assert parts.machine.to_bytes() == whole.machine.to_bytes()
    assert parts.diagnostics == whole.diagnostics == ()


def test_a_finding_stands_in_the_file_that_earned_it() -> None:
    files = FILES | {"words/money.edca": "edca 1 vocabulary money\ntype money = decimal(2)\n"}
    found = _compile(SPEC, files).diagnostics
    assert [(one.primary.span.source.name, one.code.id) for one in found] == [("words/money.edca", "T011")]


def test_a_syntax_error_in_an_import_is_one_finding() -> None:
    files = FILES | {"words/money.edca": "edca 1 vocabulary money\ntype = 3\n"}
    found = _compile(SPEC, files).diagnostics
    assert [(one.primary.span.source.name, one.code.id) for one in found] == [("words/money.edca", "P001")]


def test_without_a_folder_nothing_can_be_imported() -> None:
    found = compile_spec(Source("m.edca", SPEC)).diagnostics
    assert [one.code.id for one in found] == ["N017", "N017"]


def test_a_vocabulary_is_checked_as_one_and_is_no_machine() -> None:
    found = _compile(FILES["words/money.edca"], {})
    assert (found.machine, found.checked, found.diagnostics) == (None, None, ())
    assert [one.code.id for one in without_machine(found)] == ["N020"]
    assert without_machine(_compile(SPEC, FILES)) == ()


def test_files_are_read_from_the_specs_own_folder(tmp_path: Path) -> None:
    _folder(tmp_path / "spec", {"m.edca": SPEC, **FILES})
    spec = tmp_path / "spec" / "m.edca"
    assert compile_spec(Source(spec.as_posix(), SPEC), reader(spec.as_posix())).machine is not None


@pytest.mark.parametrize("link", ["words/money.edca", "words"])
def test_no_link_leads_out_of_the_folder(tmp_path: Path, link: str) -> None:
    _folder(tmp_path / "other", FILES)
    _folder(tmp_path / "spec", {"m.edca": SPEC, "words/thing.edca": FILES["words/thing.edca"]})
    if link == "words":
        (tmp_path / "spec" / "words" / "thing.edca").unlink()
        (tmp_path / "spec" / "words").rmdir()
    (tmp_path / "spec" / link).symlink_to(tmp_path / "other" / link)
    spec = (tmp_path / "spec" / "m.edca").as_posix()
    found = compile_spec(Source(spec, SPEC), reader(spec))
    assert found.machine is None
    assert {one.code.id for one in found.diagnostics} == {"N017"}


@pytest.mark.parametrize("link", ["words/coins.edca", "coins.edca", "again"])
def test_a_file_counts_once_whatever_links_lead_to_it(tmp_path: Path, link: str) -> None:
    _folder(tmp_path, {"m.edca": SPEC, **FILES})
    (tmp_path / link).symlink_to(tmp_path / ("words" if link == "again" else "words/money.edca"))
    # The one behind the link comes first: what it imports itself is found from its own folder.
    first = "again/thing.edca" if link == "again" else link
    text = SPEC.replace(HEAD, f'{HEAD}import "{first}"\n')
    spec = (tmp_path / "m.edca").as_posix()
    found, plain = (compile_spec(Source(spec, one), reader(spec)) for one in (text, SPEC))
    assert found.machine is not None and plain.machine is not None, concise(found.diagnostics)
    assert found.machine.digest == plain.machine.digest


@pytest.mark.parametrize("link", ["loop", "self.edca", "loop/loop"])
def test_links_in_a_round_are_an_import_of_itself(tmp_path: Path, link: str) -> None:
    text = f'edca 1 vocabulary words\nimport "{link if link.endswith(".edca") else link + "/words.edca"}"\n{MONEY}'
    _folder(tmp_path, {"words.edca": text})
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.edca").symlink_to(tmp_path / "words.edca")
    spec = (tmp_path / "words.edca").as_posix()
    assert [one.code.id for one in compile_spec(Source(spec, text), reader(spec)).diagnostics] == ["N018"]


def test_a_file_in_a_finding_is_named_by_its_own_path(tmp_path: Path) -> None:
    _folder(
        tmp_path, {"m.edca": SPEC, **FILES, "words/money.edca": "edca 1 vocabulary money\ntype money = decimal(2)\n"}
    )
    (tmp_path / "coins.edca").symlink_to(tmp_path / "words/money.edca")
    spec = (tmp_path / "m.edca").as_posix()
    found = compile_spec(Source(spec, SPEC.replace("words/money", "coins")), reader(spec)).diagnostics
    assert {one.primary.span.source.name for one in found} == {(tmp_path / "words/money.edca").as_posix()}


def test_what_is_no_text_is_not_there(tmp_path: Path) -> None:
    _folder(tmp_path, {"m.edca": SPEC})
    read = reader((tmp_path / "m.edca").as_posix())
    (tmp_path / "bytes.edca").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.edca").mkdir()
    assert read("bytes.edca") is read("folder.edca") is read("none.edca") is read("\0.edca") is None


def test_a_spec_imports_so_many_files_and_no_more() -> None:
    many = {f"f{number}.edca": f"edca 1 vocabulary f{number}\n" for number in range(120)}
    imports = "".join(f'import "{path}"\n' for path in many)
    found = _compile(HEAD + imports + ROLES + MONEY + WORDS + RULES, many).diagnostics
    assert {one.code.id for one in found} == {"P006"}
