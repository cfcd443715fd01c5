"""One finding about a user's text, and many of them in the order in which people read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from edca.diagnostics.codes import Code
from edca.diagnostics.source import Span


class Severity(Enum):
    """How much a finding weighs. Only an error keeps a spec from being compiled."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A stretch of text and the few words that stand under it (possibly none)."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `message` is one line in the user's words: lower case first, no full stop, their input in backticks.
    `primary` is the smallest text that is wrong; `secondary` are the declarations that make it wrong. `help`
    is one repair, given only if it is likely right.
    """

    code: Code
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    help: str | None = None
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in reading order, after the cap.

    `cut_count` says how many more there were; `error_count` counts the errors among all, cut ones included.
    """

    diagnostics: tuple[Diagnostic, ...]
    cut_count: int
    error_count: int


def ordered(diagnostics: Iterable[Diagnostic], cap: int | None = 50) -> Report:
    """Sort findings by (source name, start, code), drop repeats, keep at most `cap` (`None`: all).

    Where the cap cuts, warnings go before errors, so that no flood of warnings hides why a spec didn't
    compile.
    """
    distinct = list(dict.fromkeys(diagnostics))
    errors_first = sorted(distinct, key=lambda found: (found.severity is not Severity.ERROR, _place(found)))
    kept = sorted(errors_first[:cap], key=_place)
    return Report(
        diagnostics=tuple(kept),
        cut_count=len(distinct) - len(kept),
        error_count=sum(found.severity is Severity.ERROR for found in distinct),
    )


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, int, str]:
    # End and message only break ties, so that the order never depends on the order in which phases found
    # things.
    span = diagnostic.primary.span
    return span.source.name, span.start, diagnostic.code.id, span.end, diagnostic.message
