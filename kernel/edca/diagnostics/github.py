"""Diagnostics as GitHub's workflow commands: each becomes an annotation on the line that earned it."""

from collections.abc import Iterable

from edca.diagnostics.diagnostic import Diagnostic, Report, ordered
from edca.diagnostics.render import plain


def to_github(diagnostics: Iterable[Diagnostic] | Report) -> str:
    """Findings one a line: `::error file=refund.edca,line=2,col=26,…,title=T003 unknown-attribute::…`."""
    report = diagnostics if isinstance(diagnostics, Report) else ordered(diagnostics, cap=None)
    lines = [_annotation(found) for found in report.diagnostics]
    if report.cut_count:
        lines.append(f"::notice::{report.cut_count} more finding{'' if report.cut_count == 1 else 's'} not shown")
    return "".join(f"{line}\n" for line in lines)


def _annotation(found: Diagnostic) -> str:
    span = found.primary.span
    end_line, end_column = span.source.position(span.end)
    properties = {
        "file": span.source.name,
        "line": str(span.line),
        "endLine": str(end_line),
        "col": str(span.column),
        "endColumn": str(end_column),
        "title": f"{found.code.id} {found.code.name}",
    }
    if end_line != span.line:
        # GitHub refuses columns for an annotation over several lines.
        del properties["col"], properties["endColumn"]
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = plain(found.message) if found.help is None else f"{plain(found.message)}\nhelp: {plain(found.help)}"
    return f"::{found.severity.value} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
