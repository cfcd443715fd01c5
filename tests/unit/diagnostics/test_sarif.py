"""Goal: SARIF logs have what the standard requires, and their columns are UTF-16 code units."""

import json
from typing import Any

import pytest

from edca.diagnostics import CODES, Diagnostic, Label, Severity, Source, Span, ordered, page, to_sarif

SOURCE = Source("specs/a b.edca", "edca 1\n# 😀 é x\nrest\n")


def finding(start: int, end: int, **more: Any) -> Diagnostic:
    return Diagnostic(CODES["T003"], "`x` has no part `y`", Label(Span(SOURCE, start, end), "here"), **more)


def log(*found: Diagnostic, cap: int | None = None) -> dict[str, Any]:
    """Return the log as a reader of JSON sees it."""
    data: dict[str, Any] = json.loads(json.dumps(to_sarif(ordered(found, cap=cap), version="0.1.0")))
    return data


def check(log: dict[str, Any]) -> None:
    """Assert what SARIF 2.1.0 requires of the objects that we write (§3.13, §3.14, §3.18, §3.19, §3.27 to §3.30)."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    assert driver["name"] and driver["version"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert ids[result["ruleIndex"]] == result["ruleId"]
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            physical = place["physicalLocation"]
            assert " " not in physical["artifactLocation"]["uri"]
            region = physical["region"]
            assert all(region[name] >= 1 for name in ("startLine", "startColumn", "endLine", "endColumn"))
            assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])


def test_a_log_without_findings_is_whole() -> None:
    empty = log()
    check(empty)
    assert empty["runs"][0]["results"] == []


def test_a_finding_has_rule_place_and_related_places() -> None:
    one = finding(0, 4, secondary=(Label(Span(SOURCE, 7, 8), "declared here"),), help="did you mean `z`?")
    whole = log(one, finding(5, 6, severity=Severity.WARNING))
    check(whole)
    (rule,), (first, second) = whole["runs"][0]["tool"]["driver"]["rules"], whole["runs"][0]["results"]
    assert rule["id"] == "T003" and rule["help"]["markdown"] == page(CODES["T003"])
    assert first["message"]["text"] == "`x` has no part `y` (help: did you mean `z`?)"
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/a%20b.edca"
    assert first["relatedLocations"][0]["message"]["text"] == "declared here"
    assert (first["level"], second["level"]) == ("error", "warning")


@pytest.mark.parametrize(
    ("start", "end", "region"),
    [
        (9, 10, (2, 3, 2, 5)),  # a character outside the basic plane is two units
        (11, 12, (2, 6, 2, 7)),
        (13, 19, (2, 8, 3, 5)),
        (len(SOURCE.text), len(SOURCE.text), (4, 1, 4, 1)),
    ],
)
def test_columns_are_utf_16_units(start: int, end: int, region: tuple[int, ...]) -> None:
    (result,) = log(finding(start, end))["runs"][0]["results"]
    found = result["locations"][0]["physicalLocation"]["region"]
    assert tuple(found[name] for name in ("startLine", "startColumn", "endLine", "endColumn")) == region


def test_what_was_cut_is_said() -> None:
    cut = log(*(finding(at, at + 1) for at in range(5)), cap=2)
    check(cut)
    (invocation,) = cut["runs"][0]["invocations"]
    assert invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "3 more findings not shown"


def test_an_absolute_name_is_a_file_uri() -> None:
    source = Source("/srv/é.edca", "x")
    (result,) = log(Diagnostic(CODES["P001"], "no", Label(Span(source, 0, 1))))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///srv/%C3%A9.edca"
