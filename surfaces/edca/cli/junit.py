"""Scenarios as a JUnit XML document, the form in which build servers read test results."""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from edca.semantic.scenario import ScenarioResult

# XML 1.0 has no way to write these, escaped or not.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(name: str, results: Sequence[ScenarioResult]) -> bytes:
    """Return one test suite in UTF-8: a case for each scenario, named by its title and the first thing it asks for.

    There are no durations in it, so that equal runs give equal bytes.
    """
    failures = str(sum(not result.passed for result in results))
    total = {"name": _text(name), "tests": str(len(results)), "failures": failures, "errors": "0"}
    root = Element("testsuites", total)
    suite = SubElement(root, "testsuite", total | {"skipped": "0"})
    for result in results:
        place = {"file": _text(result.span.source.name), "line": str(result.span.line)}
        asked = next((f".{made.world.transition}" for made in result.made), "")
        case = {"classname": f"{_text(name)}{asked}", "name": _text(result.title)}
        element = SubElement(suite, "testcase", case | place)
        if not result.passed:
            failure = SubElement(element, "failure", {"message": _text(result.detail[0]), "type": "scenario"})
            failure.text = _text("\n".join(result.detail))
    indent(root)
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
