"""Goal: the same findings give the same report, whatever the order in which they were found."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edca.diagnostics import CODES, Diagnostic, Label, Report, Severity, Source, Span, ordered

_SOURCES = (Source("a.edca", "x" * 9), Source("b.arp", "x" * 9))


@st.composite
def _diagnostics(draw: st.DrawFn) -> Diagnostic:
    start = draw(st.integers(0, 4))
    return Diagnostic(
        code=CODES[draw(st.sampled_from(["N001", "N014", "T001"]))],
        message=draw(st.sampled_from(["one", "two"])),
        primary=Label(Span(draw(st.sampled_from(_SOURCES)), start, start + draw(st.integers(0, 3)))),
        severity=draw(st.sampled_from(Severity)),
    )


def _finding(code: str, start: int, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(CODES[code], "wrong", Label(Span(_SOURCES[0], start, start + 1)), severity=severity)


@given(st.lists(_diagnostics()), st.randoms(use_true_random=False), st.integers(0, 8) | st.none())
def test_order_of_finding_never_shows(found: list[Diagnostic], random: Random, cap: int | None) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert ordered(found, cap) == ordered(shuffled, cap)


@given(st.lists(_diagnostics()), st.integers(0, 8))
def test_what_is_cut_is_counted(found: list[Diagnostic], cap: int) -> None:
    report = ordered(found, cap)
    assert len(report.diagnostics) <= cap
    assert len(report.diagnostics) + report.cut_count == len(set(found))


def test_sorted_by_place_then_code() -> None:
    first, second, third = _finding("T001", 0), _finding("N001", 3), _finding("T001", 3)
    assert ordered([third, first, second]).diagnostics == (first, second, third)


def test_repeated_findings_are_told_once() -> None:
    assert ordered([_finding("T001", 0), _finding("T001", 0)]) == Report((_finding("T001", 0),), 0, 1)


def test_warnings_are_cut_before_errors() -> None:
    warnings = [_finding("N014", start, Severity.WARNING) for start in range(3)]
    error = _finding("T001", 7)
    assert ordered([*warnings, error], cap=2) == Report((warnings[0], error), cut_count=2, error_count=1)
