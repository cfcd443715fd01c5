"""The states of a machine and how a case gets from one to another: what every kind of picture is drawn from.

Everything is sorted by name, and so follows from the machine alone: one digest, one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edca.kernel.machine import Machine


@dataclass(frozen=True, slots=True)
class Node:
    """A state; `initial_about` is the entity whose cases begin in it."""

    name: str
    text: str
    initial_about: str | None
    final: bool
    success: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """All transitions from one state to another, or all whose effects' failure leads there (`failure`)."""

    source: str
    target: str
    transitions: tuple[str, ...]
    failure: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """States, those in which cases begin first, and the edges between them."""

    name: str
    version: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(machine: Machine) -> Graph:
    """Return the graph of a machine."""
    nodes = [Node(s.name, s.text, s.initial_about, s.final, s.success) for s in machine.states]
    nodes.sort(key=lambda node: (node.initial_about is None, node.name))
    moves: dict[tuple[str, str, bool], list[str]] = {}
    for transition in machine.transitions:
        for source in transition.sources:
            moves.setdefault((source, transition.target, False), []).append(transition.name)
            # A creation that fails leaves no case that could go anywhere.
            if transition.on_failed is not None and transition.acts and not transition.creates:
                moves.setdefault((source, transition.on_failed, True), []).append(transition.name)
    edges = tuple(
        Edge(source, target, tuple(sorted(names)), failure)
        for (source, target, failure), names in sorted(moves.items())
    )
    return Graph(machine.name, machine.version, tuple(nodes), edges)


def labels(edge: Edge) -> tuple[str, ...]:
    """Return the lines that stand beside an edge."""
    return tuple(f"{name} failed" if edge.failure else name for name in edge.transitions)
