"""`edca graph`: the states of a spec as a picture."""

from enum import StrEnum
from typing import Annotated, Final, assert_never

import typer

from edca.cli.loading import load_policy
from edca.cli.options import AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document
from edca.cli.writing import Output, suffix_of, write_text
from edca.semantic.render.graph import Graph, graph_of
from edca.semantic.render.mermaid import dot, mermaid
from edca.semantic.render.svg import svg

app: Final = command_app()


class GraphFormat(StrEnum):
    """How a diagram is written."""

    MERMAID = "mermaid"
    SVG = "svg"  # drawn here, without another program
    DOT = "dot"


_BY_SUFFIX: Final = {"svg": GraphFormat.SVG, "dot": GraphFormat.DOT, "gv": GraphFormat.DOT}
_Format = Annotated[
    GraphFormat | None,
    typer.Option("--format", help="How it is written; else as FILE's name says, else mermaid.", show_default=False),
]


@app.command(
    epilog=examples("edca graph specs/refund/refund.edca", "edca graph specs/refund/refund.edca -o refund.svg")
)
def graph(
    spec: Spec,
    format_: _Format = None,
    output: Output = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Draw the states of a spec, and how a case gets from one to another.

    Dashed lines are where a case goes when an effect fails or times out; a frame is a state that stands for those
    within it.
    """
    machine = load_policy(spec, error_format).machine
    drawn = graph_of(machine)
    chosen = format_ or _BY_SUFFIX.get(suffix_of(output), GraphFormat.MERMAID)
    text = _text(drawn, chosen)
    if output is not None or not as_json:
        write_text(text, output)
    if as_json:
        document(
            {
                "composites": [
                    {"name": frame.name, "text": frame.text, "within": frame.within} for frame in drawn.frames
                ],
                "digest": machine.digest.hex(),
                "edges": [
                    {
                        "failure": edge.failure,
                        "from": edge.source,
                        "labels": list(edge.labels),
                        "to": edge.target,
                        "transitions": list(edge.transitions),
                    }
                    for edge in drawn.edges
                ],
                "format": chosen.value,
                "output": None if output is None else output.as_posix(),
                "states": [
                    {
                        "final": node.final,
                        "initial_about": node.initial_about,
                        "name": node.name,
                        "success": node.success,
                        "text": node.text,
                        "within": node.within,
                    }
                    for node in drawn.nodes
                ],
                "text": text if output is None else None,
            }
        )


def _text(drawn: Graph, format_: GraphFormat) -> str:
    match format_:
        case GraphFormat.MERMAID:
            return mermaid(drawn)
        case GraphFormat.SVG:
            return svg(drawn)
        case GraphFormat.DOT:
            return dot(drawn)
        case _:
            assert_never(format_)
