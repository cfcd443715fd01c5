"""Goal: annotations for GitHub stand on one line each, whatever a spec holds."""

from edca.diagnostics import CODES, Diagnostic, Label, Severity, Source, Span, ordered, to_github


def annotation(name: str, message: str, start: int = 0, end: int = 1, help: str | None = None) -> str:
    span = Span(Source(name, "one\ntwo\n"), start, end)
    return to_github([Diagnostic(CODES["T003"], message, Label(span), help=help)])


def test_an_annotation_has_place_title_and_message() -> None:
    assert annotation("refund.edca", "no part `x`", 4, 7, "did you mean `y`?") == (
        "::error file=refund.edca,line=2,endLine=2,col=1,endColumn=4,title=T003 unknown-attribute"
        "::no part `x`%0Ahelp: did you mean `y`?\n"
    )


def test_what_has_a_meaning_for_github_is_escaped() -> None:
    line = annotation("a:b,c%.edca", "100 %\n::error::")
    assert line.startswith("::error file=a%3Ab%2Cc%25.edca,")
    assert line.endswith("::100 %25\ufffd::error::\n")


def test_a_finding_over_several_lines_has_no_columns() -> None:
    assert "line=1,endLine=2,title=" in annotation("a", "no", 0, 5)


def test_a_warning_is_one_and_what_was_cut_is_said() -> None:
    span = Span(Source("a", "abc"), 0, 1)
    found = [Diagnostic(CODES["C002"], text, Label(span), severity=Severity.WARNING) for text in ("x", "y")]
    first, second = to_github(ordered(found, cap=1)).splitlines()
    assert first.startswith("::warning file=a,")
    assert second == "::notice::1 more finding not shown"
