"""Goal: what people see of a diagnostic is as good as the golden texts beside this file, to the character.

`EDCA_UPDATE_GOLDEN=1` rewrites them; read the difference before you keep it.
"""

import json
import os
import re
from pathlib import Path

import pytest

from edca.diagnostics import CODES, Diagnostic, Label, Report, Severity, Source, Span, concise, human, to_json

_GOLDEN = Path(__file__).parent / "golden"

_REFUND = Source(
    "refund.edca",
    "machine refund\n  on submit when request.ammount < 1000 -> approved\n\nrecord request { amount: int }\n",
)


def _span(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def _finding(source: Source, text: str, label: str = "here", message: str = "something is wrong") -> Diagnostic:
    return Diagnostic(CODES["P001"], message, Label(_span(source, text), label))


def _attribute() -> Diagnostic:
    return Diagnostic(
        CODES["T003"],
        "`request` has no attribute `ammount`",
        Label(_span(_REFUND, "ammount"), "not declared"),
        (Label(Span(_REFUND, 75, 82), "declared here"),),
        "did you mean `amount`?",
    )


def _wide_gutter() -> Diagnostic:
    source = Source("long.edca", "\n" * 98 + "state requested\nstate requested\n")
    return Diagnostic(
        CODES["N002"],
        "`requested` is declared twice",
        Label(Span(source, 120, 129), "again"),
        (Label(Span(source, 104, 113), "first"),),
    )


def _two_sources() -> Diagnostic:
    routes = Source("refund.arp", "fact order.status from t_ord.st\n")
    spec = Source("refund.edca", "entity t_ord key (id: id) {}\n")
    return Diagnostic(
        CODES["R009"],
        "`t_ord` is a table of the routes and an entity of the spec",
        Label(_span(spec, "t_ord"), "public"),
        (Label(_span(routes, "t_ord"), "internal"),),
    )


def _unused() -> Diagnostic:
    source = Source("refund.edca", "define unused = true")
    label = Label(_span(source, "unused"))
    return Diagnostic(CODES["N014"], "`unused` is never used", label, severity=Severity.WARNING)


_LONG = Source("long.edca", "require " + "a and " * 40 + "wrong" + " and b" * 40)
_LONG_END = Source("long.edca", "require " + "a and " * 40 + "wrong")
_LONG_MARK = Source("long.edca", 'means "' + "x" * 300)
_STEERING = Source("evil\x1b[2J.edca", "require \x1b[31m\u202ewrong\u2028")

_CASES = {
    "attribute": [_attribute()],
    "attribute-and-warning": [_attribute(), _unused()],
    "wide-gutter": [_wide_gutter()],
    "two-sources": [_two_sources()],
    "tabs": [_finding(Source("tabs.edca", "\trequire\twrong\n"), "wrong")],
    "wide-characters": [_finding(Source("wide.edca", 'means "払い戻し" wrong\n'), "払い戻し")],
    "combining-characters": [_finding(Source("wide.edca", "e\u0301te\u0301 wrong\n"), "wrong")],
    "several-lines": [_finding(Source("lines.edca", "state a {\n  b\n}\n"), "{\n  b\n}", "never closed")],
    "end-of-text": [Diagnostic(CODES["P001"], "the file ends here", Label(Span(_REFUND, 99, 99), "`}` missing"))],
    "empty-text": [Diagnostic(CODES["P007"], "the file is empty", Label(Span(Source("a.edca", ""), 0, 0)))],
    "long-line": [_finding(_LONG, "wrong")],
    "long-line-at-its-end": [_finding(_LONG_END, "wrong")],
    "long-mark": [_finding(_LONG_MARK, '"' + "x" * 300)],
    "steering-characters": [_finding(_STEERING, "wrong", "a\nb", "found `\x1b[31m`")],
}


@pytest.mark.parametrize("name", _CASES)
def test_human_is_golden(name: str) -> None:
    drawn = human(_CASES[name])
    path = _GOLDEN / f"{name}.txt"
    if os.environ.get("EDCA_UPDATE_GOLDEN") == "1":
        path.write_text(drawn, encoding="utf-8", newline="\n")
    assert drawn == path.read_text(encoding="utf-8")


def test_every_golden_text_has_its_case() -> None:
    assert {path.stem for path in _GOLDEN.iterdir()} == set(_CASES)


@pytest.mark.parametrize("name", _CASES)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    colored = human(_CASES[name], color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == human(_CASES[name])
    assert colored.count("\x1b[0m") * 2 == colored.count("\x1b[")


@pytest.mark.parametrize("name", _CASES)
def test_nothing_but_text_reaches_the_terminal(name: str) -> None:
    drawn = human(_CASES[name]) + concise(_CASES[name])
    assert all(character == "\n" or character.isprintable() for character in drawn)


@pytest.mark.parametrize("name", _CASES)
def test_concise_is_one_line_each(name: str) -> None:
    assert concise(_CASES[name]).count("\n") == len(_CASES[name])


def test_concise() -> None:
    line = "refund.edca:2:26: error[T003] unknown-attribute: `request` has no attribute `ammount`\n"
    assert concise([_attribute()]) == line


def test_nothing_found_is_nothing_said() -> None:
    assert (human([]), concise([]), to_json([])) == ("", "", [])


@pytest.mark.parametrize(("cut_count", "note"), [(1, "1 more finding not"), (7, "7 more findings not")])
def test_cut_findings_are_mentioned(cut_count: int, note: str) -> None:
    report = Report((_attribute(),), cut_count, error_count=1 + cut_count)
    assert human(report).endswith(f"\n... and {note} shown\n")
    assert concise(report).endswith(f"\n... and {note} shown\n")


def test_json_has_sorted_keys_and_plain_values() -> None:
    data = to_json([_attribute()])
    assert data == [
        {
            "code": "T003",
            "help": "did you mean `amount`?",
            "message": "`request` has no attribute `ammount`",
            "name": "unknown-attribute",
            "notes": [
                {
                    "column": 8,
                    "end": 82,
                    "label": "declared here",
                    "line": 4,
                    "source": "refund.edca",
                    "start": 75,
                }
            ],
            "primary": {
                "column": 26,
                "end": 47,
                "label": "not declared",
                "line": 2,
                "source": "refund.edca",
                "start": 40,
            },
            "severity": "error",
        }
    ]
    assert json.dumps(data) == json.dumps(data, sort_keys=True)
