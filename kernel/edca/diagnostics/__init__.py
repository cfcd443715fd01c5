"""What EDCA says to people: codes, spans, diagnostics and their rendering.

The bottom layer: it imports the standard library only. Every phase that can find a mistake in a user's text
*returns* `Diagnostic` values; nothing here decides anything, and nothing here raises for a user's mistake.

Read first: `diagnostic.py`, then `render.py`. A new code is one line in `codes.py`.
"""

from edca.diagnostics.codes import CODES, Code, find_code
from edca.diagnostics.diagnostic import Diagnostic, Label, Report, Severity, ordered
from edca.diagnostics.github import to_github
from edca.diagnostics.pages import page
from edca.diagnostics.render import concise, human, to_json
from edca.diagnostics.sarif import to_sarif
from edca.diagnostics.source import Source, Span
from edca.diagnostics.suggest import closest

__all__ = [
    "CODES",
    "Code",
    "Diagnostic",
    "Label",
    "Report",
    "Severity",
    "Source",
    "Span",
    "closest",
    "concise",
    "find_code",
    "human",
    "ordered",
    "page",
    "to_github",
    "to_json",
    "to_sarif",
]
