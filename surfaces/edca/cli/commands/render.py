"""`edca render`: a spec in plain English for sign-off, or what changed between two versions of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.loading import Policy, load_policy
from edca.cli.options import AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document
from edca.cli.writing import Output, suffix_of, write_text
from edca.semantic.render.difference import Difference, difference_page, differences
from edca.semantic.render.html import html
from edca.semantic.render.markdown import markdown
from edca.semantic.render.page import Page
from edca.semantic.render.phrase import Phrase, text_of
from edca.semantic.render.signoff import signoff

app: Final = command_app()


class PageFormat(StrEnum):
    """How a page is written."""

    MARKDOWN = "markdown"
    HTML = "html"  # one file, without scripts; it prints well


_Format = Annotated[
    PageFormat | None,
    typer.Option("--format", help="How it is written; else as FILE's name says, else markdown.", show_default=False),
]
_Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="OLD", help="Say what changed since this spec instead.", show_default=False),
]


@app.command(
    epilog=examples(
        "edca render specs/refund/refund.edca",
        "edca render specs/refund/refund.edca --output refund.html",
        "edca render --against refund-1.0.0.edca specs/refund/refund.edca",
    )
)
def render(
    spec: Spec,
    format_: _Format = None,
    output: Output = None,
    against: _Against = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Say in plain English what a spec holds, for sign-off.

    The page is made of what was compiled, and names its digest: who signs it signs what will run.
    """
    policy = load_policy(spec, error_format)
    page = _page(policy)
    facts: dict[str, object] = {
        "digest": policy.machine.digest.hex(),
        "machine": policy.machine.name,
        "version": policy.machine.version,
    }
    if against is not None:
        old_policy = load_policy(against, error_format)
        old = _page(old_policy)
        facts["against"] = old_policy.machine.digest.hex()
        facts["changes"] = [_data(each) for each in differences(old, page)]
        page = difference_page(old, page)
    chosen = format_ or (PageFormat.HTML if suffix_of(output) in ("html", "htm") else PageFormat.MARKDOWN)
    text = html(page) if chosen is PageFormat.HTML else markdown(page)
    if output is not None or not as_json:
        write_text(text, output)
    if as_json:
        written = None if output is None else output.as_posix()
        document({**facts, "format": chosen.value, "output": written, "text": text if output is None else None})


def _page(policy: Policy) -> Page:
    return signoff(policy.checked, policy.machine)


def _data(difference: Difference) -> dict[str, object]:
    return {
        "change": difference.change.value,
        "kind": difference.kind,
        "name": difference.name,
        "sentences": [
            {"change": one.change.value, "key": one.key, "now": _text(one.now), "was": _text(one.was)}
            for one in difference.sentences
        ],
    }


def _text(phrase: Phrase | None) -> str | None:
    return None if phrase is None else text_of(phrase)
