"""A graph as text for other programs to draw: Mermaid's state diagrams, and Graphviz's DOT.

Names are letters, digits and underscores. They get a prefix all the same: `end` or `state` would be words of Mermaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.semantic.render.graph import labels

if TYPE_CHECKING:
    from edca.semantic.render.graph import Graph


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid state diagram; it ends in a line ending."""
    lines = ["stateDiagram-v2"]
    lines += [f'  state "{node.name}" as s_{node.name}' for node in graph.nodes]
    for node in graph.nodes:
        if node.initial_about is not None:
            lines.append(f"  [*] --> s_{node.name} : {node.initial_about}")
    for edge in graph.edges:
        lines += [f"  s_{edge.source} --> s_{edge.target} : {label}" for label in labels(edge)]
    lines += [f"  s_{node.name} --> [*]" for node in graph.nodes if node.final]
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """Return the graph in Graphviz's language; it ends in a line ending."""
    lines = [f'digraph "{graph.name}" {{', "  node [shape=box, style=rounded];"]
    for node in graph.nodes:
        outlines = ", peripheries=2" if node.final else ""
        lines.append(f'  "{node.name}" [tooltip="{_quoted(node.text)}"{outlines}];')
        if node.initial_about is not None:
            lines += [
                f'  ":{node.name}" [shape=point];',
                f'  ":{node.name}" -> "{node.name}" [label="{node.initial_about}"];',
            ]
    for edge in graph.edges:
        style = ", style=dashed" if edge.failure else ""
        text = "\\n".join(labels(edge))
        lines.append(f'  "{edge.source}" -> "{edge.target}" [label="{text}"{style}];')
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
