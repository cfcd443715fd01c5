"""A graph as text for other programs to draw: Mermaid's state diagrams, and Graphviz's DOT.

Names are letters, digits and underscores. They get a prefix all the same: `end` or `state` would be words of Mermaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.render.graph import Graph, Node


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid state diagram; it ends in a line ending."""
    lines = ["stateDiagram-v2", *_states(graph, None, "  ")]
    for node in graph.nodes:
        if node.initial_about is not None:
            lines.append(f"  [*] --> s_{node.name} : {node.initial_about}")
    for edge in graph.edges:
        lines += [f"  s_{edge.source} --> s_{edge.target} : {label}" for label in edge.labels]
    lines += [f"  s_{node.name} --> [*]" for node in graph.nodes if node.final]
    return "\n".join(lines) + "\n"


def _states(graph: Graph, within: str | None, indent: str) -> Iterator[str]:
    for frame in graph.frames:
        if frame.within == within:
            yield f'{indent}state "{frame.name}" as s_{frame.name} {{'
            yield from _states(graph, frame.name, f"{indent}  ")
            yield f"{indent}}}"
    yield from (f'{indent}state "{node.name}" as s_{node.name}' for node in graph.nodes if node.within == within)


def dot(graph: Graph) -> str:
    """Return the graph in Graphviz's language; it ends in a line ending."""
    lines = [f'digraph "{graph.name}" {{', "  compound=true; node [shape=box, style=rounded];"]
    lines += _clusters(graph, None, "  ")
    for node in graph.nodes:
        if node.initial_about is not None:
            lines += [
                f'  ":{node.name}" [shape=point];',
                f'  ":{node.name}" -> "{node.name}" [label="{node.initial_about}"];',
            ]
    for edge in graph.edges:
        style = ", style=dashed" if edge.failure else ""
        source = graph.members(edge.source)[0]
        tail = "" if source == edge.source else f', ltail="cluster_{edge.source}"'
        text = "\\n".join(edge.labels)
        lines.append(f'  "{source}" -> "{edge.target}" [label="{text}"{style}{tail}];')
    return "\n".join([*lines, "}", ""])


def _clusters(graph: Graph, within: str | None, indent: str) -> Iterator[str]:
    for frame in graph.frames:
        if frame.within == within:
            yield f'{indent}subgraph "cluster_{frame.name}" {{'
            yield f'{indent}  label="{frame.name}"; tooltip="{_quoted(frame.text)}"; style=rounded;'
            yield from _clusters(graph, frame.name, f"{indent}  ")
            yield f"{indent}}}"
    yield from (f"{indent}{_node(node)}" for node in graph.nodes if node.within == within)


def _node(node: Node) -> str:
    outlines = ", peripheries=2" if node.final else ""
    return f'"{node.name}" [tooltip="{_quoted(node.text)}"{outlines}];'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
