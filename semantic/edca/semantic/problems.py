"""Where the passes of `semantic` put what they find, so that one run reports all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label, Severity
from edca.diagnostics.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.diagnostics.source import Span


# Findings that a declaration which could not be read would cause by itself.
FOLLOWS_FROM_LOSS = frozenset(
    (
        *("N001", "N004", "N006", "N007", "N008", "N009", "N015", "N016", "N022"),
        *("C002", "C003", "C004", "C008", "C012", "C016", "C025", "C033", "C034", "C035", "C053", "C054"),
    )
)
# Findings that a file which could not be had would cause by itself: anything could be declared in it.
FOLLOWS_FROM_MISSING = frozenset(("N001", "N004", "N007", "N008", "N009", "N010", "C008"))


@dataclass(slots=True)
class Problems:
    """The findings of one compilation, in the order they were made."""

    found: list[Diagnostic] = field(default_factory=list)
    whole: bool = True  # false where a file that the spec imports could not be had
    damaged: bool = False  # true where some of the text could not be read
    said: set[tuple[str, str]] = field(default_factory=set)
    lost: frozenset[str] = frozenset()  # names whose declaration could not be read: what depends on them is silent

    def add(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        help: str | None = None,
        declared: Span | None = None,
        declared_label: str = "declared here",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Report one finding at `span`; `declared` is the place that makes it wrong."""
        if code in FOLLOWS_FROM_LOSS and span.text in self.lost:
            return
        if code in FOLLOWS_FROM_MISSING and not self.whole:
            return
        if code in FOLLOWS_FROM_LOSS and self.damaged:
            # What can't be read may have declared the name: then one use of it is enough to say so.
            if (code, message) in self.said:
                return
            self.said.add((code, message))
        secondary = () if declared is None else (Label(declared, declared_label),)
        self.found.append(Diagnostic(CODES[code], message, Label(span, label), secondary, help, severity))

    @property
    def fatal(self) -> bool:
        """Whether anything found keeps the spec from compiling."""
        return any(finding.severity is Severity.ERROR for finding in self.found)


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a help line that names the closest known name, or `otherwise` where none is close."""
    found = closest(name, tuple(known))
    return f"did you mean `{found}`?" if found is not None else otherwise


def listing(names: Iterable[str], limit: int = 8) -> str:
    """Return names in backticks, joined for a sentence and cut where there are many."""
    known = sorted(names)
    shown = ", ".join(f"`{name}`" for name in known[:limit])
    return f"{shown}, …" if len(known) > limit else shown
