"""Diagnostics as SARIF 2.1.0 (OASIS Standard, 27 March 2020), for code scanning services and editors.

One log with one run. Lines and columns count from 1; columns are UTF-16 code units, which is what most readers of SARIF
assume, and the log says so. Rules are the codes that occur, each with its page.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from edca.diagnostics.codes import Code
from edca.diagnostics.diagnostic import Diagnostic, Label, Report, ordered
from edca.diagnostics.pages import page
from edca.diagnostics.source import Span

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(diagnostics: Iterable[Diagnostic] | Report, *, version: str) -> dict[str, object]:
    """Findings as one SARIF log, JSON-ready; `version` is that of the tool. A run without findings is a log as well."""
    report = diagnostics if isinstance(diagnostics, Report) else ordered(diagnostics, cap=None)
    codes = sorted({found.code for found in report.diagnostics}, key=lambda code: code.id)
    places = {code: index for index, code in enumerate(codes)}
    run: dict[str, object] = {
        "columnKind": "utf16CodeUnits",
        "results": [_result(found, places[found.code]) for found in report.diagnostics],
        "tool": {"driver": {"name": "edca", "rules": [_rule(code) for code in codes], "version": version}},
    }
    if report.cut_count:
        run["invocations"] = [_cut(report.cut_count)]
    return {"$schema": SCHEMA, "runs": [run], "version": "2.1.0"}


def _rule(code: Code) -> dict[str, object]:
    explained = page(code) or code.summary
    return {
        "fullDescription": {"text": code.summary},
        "help": {"markdown": explained, "text": explained},
        "id": code.id,
        "name": code.name,
        "shortDescription": {"text": code.summary},
    }


def _result(found: Diagnostic, rule_index: int) -> dict[str, object]:
    text = found.message if found.help is None else f"{found.message} (help: {found.help})"
    result: dict[str, object] = {
        "level": found.severity.value,
        "locations": [_location(found.primary)],
        "message": {"text": text},
        "ruleId": found.code.id,
        "ruleIndex": rule_index,
    }
    if found.secondary:
        related = [_location(label) for label in found.secondary]
        result["relatedLocations"] = [{"id": index, **place} for index, place in enumerate(related)]
    return result


def _location(label: Label) -> dict[str, object]:
    name = quote(label.span.source.name)
    uri = f"file://{name}" if name.startswith("/") else name
    physical = {"artifactLocation": {"uri": uri}, "region": _region(label.span)}
    place: dict[str, object] = {"physicalLocation": physical}
    if label.text:
        place["message"] = {"text": label.text}
    return place


def _region(span: Span) -> dict[str, int]:
    start_line, start_column = _place(span, span.start)
    end_line, end_column = _place(span, span.end)
    return {"endColumn": end_column, "endLine": end_line, "startColumn": start_column, "startLine": start_line}


def _place(span: Span, offset: int) -> tuple[int, int]:
    line, _ = span.source.position(offset)
    before = span.source.text[span.source.line_start(line) : offset]
    # "surrogatepass": a text that came from outside may hold half a pair, which is one unit as well.
    return line, len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _cut(cut_count: int) -> dict[str, object]:
    more = f"{cut_count} more finding{'' if cut_count == 1 else 's'} not shown"
    note = {"level": "warning", "message": {"text": more}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [note]}
