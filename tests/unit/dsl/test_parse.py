"""Goal: what was understood is handed on in spite of errors, and what was lost is named."""

from edca.diagnostics import Source
from edca.dsl import tree
from edca.dsl.parse import Parsed, parse
from edca.dsl.scan import Sort, scan

HEADER = 'edca 1\nmachine m version "1"\n'


def _parse(text: str) -> Parsed:
    return parse(Source("test", HEADER + text))


def test_an_error_costs_only_its_own_declaration() -> None:
    parsed = _parse('role a model\nenum e { x y }\nstate s "T"')
    assert parsed.spec is not None
    assert [type(d).__name__ for d in parsed.spec.declarations] == ["RoleDeclaration", "StateDeclaration"]
    assert parsed.lost == {"e", "x", "y"}


def test_an_error_costs_only_its_own_clause() -> None:
    parsed = _parse("transition t from a to b {\n by x\n let y = \n requires z\n answers w\n}")
    assert parsed.spec is not None
    (transition,) = parsed.spec.declarations
    assert isinstance(transition, tree.TransitionDeclaration)
    assert [type(clause).__name__ for clause in transition.clauses] == ["By", "Answers"]
    assert {"t", "y"} <= parsed.lost


def test_clauses_are_checked_though_the_header_is_wrong() -> None:
    parsed = _parse("transition t from a { by }")
    assert len(parsed.diagnostics) == 2
    assert parsed.lost == {"t"}


def test_without_a_machine_there_is_no_spec_but_all_findings() -> None:
    parsed = parse(Source("test", "edca 1\nmachine\nrole a\nrole b"))
    assert parsed.spec is None
    assert len(parsed.diagnostics) == 3


def test_without_a_version_the_rest_is_read() -> None:
    parsed = parse(Source("test", 'machine m version "1"\nrole a model'))
    assert parsed.spec is not None
    assert [found.code.id for found in parsed.diagnostics] == ["P007"]


def test_help_is_a_repair() -> None:
    (found,) = _parse("define a = b = c").diagnostics
    assert found.help == "to compare, write `==`"
    (found,) = _parse("rol a model").diagnostics
    assert found.help == "did you mean `role`?"
    (found,) = _parse("transition t from a to b {\n require x > 0\n}").diagnostics
    assert found.help == 'add `else refuse CODE "WHY NOT"`, or `else escalate ROLE CODE "WHY"`'


def test_an_open_bracket_is_pointed_at() -> None:
    (found,) = _parse("define a = (b + c").diagnostics
    assert [label.span.text for label in found.secondary] == ["("]


def test_crlf_and_comments_change_nothing() -> None:
    plain = _parse("role a model # one\nrole b human")
    crlf = parse(Source("test", (HEADER + "role a model # one\nrole b human").replace("\n", "\r\n")))
    assert plain.spec is not None and crlf.spec is not None
    assert len(plain.spec.declarations) == len(crlf.spec.declarations) == 2
    assert crlf.diagnostics == ()


def test_scan_keeps_places_and_resolves_escapes() -> None:
    scanned = scan(Source("test", 'a\n "b\\"\\n" 1.50 # c\n=> 2024-05-20'))
    assert [(lexeme.sort, lexeme.text, lexeme.first) for lexeme in scanned.lexemes] == [
        (Sort.WORD, "a", True),
        (Sort.STRING, 'b"\n', True),
        (Sort.POINT_NUMBER, "1.50", False),
        (Sort.SIGN, "=>", True),
        (Sort.DATE, "2024-05-20", False),
    ]
    assert [(lexeme.start, lexeme.end) for lexeme in scanned.lexemes] == [(0, 1), (3, 10), (11, 15), (20, 22), (23, 33)]
