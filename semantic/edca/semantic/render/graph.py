"""The states of a machine and how a case gets from one to another: what every kind of picture is drawn from.

Everything is sorted by name, and so follows from the machine alone: one digest, one picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edca.kernel.calendar import duration_text
from edca.kernel.machine import RoleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Machine, Transition


@dataclass(frozen=True, slots=True)
class Node:
    """A state; `initial_about` is the entity whose cases begin in it, `within` the composite state around it."""

    name: str
    text: str
    initial_about: str | None
    final: bool
    success: bool
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A composite state, which is drawn around the states within it."""

    name: str
    text: str
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """All transitions from one state to another, or (`failure`) all whose effects' failure or timeout leads there.

    `labels` stand beside the ids of the transitions, one each. `source` may be a composite state: then the same leads
    there from every state within it.
    """

    source: str
    target: str
    failure: bool
    transitions: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """States, those in which cases begin first, the edges between them, and the composite states around them."""

    name: str
    version: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...] = ()

    def path(self, within: str | None) -> tuple[str, ...]:
        """Return the composite states from the outermost to this one; empty where there is none."""
        around = {frame.name: frame.within for frame in self.frames}
        found: list[str] = []
        while within is not None:
            found.insert(0, within)
            within = around[within]
        return tuple(found)

    def members(self, name: str) -> tuple[str, ...]:
        """Return the states that a name stands for: all within a composite state, or the state itself."""
        inside = tuple(node.name for node in self.nodes if name in self.path(node.within))
        return inside or (name,)


def graph_of(machine: Machine) -> Graph:
    """Return the graph of a machine."""
    nodes = [Node(s.name, s.text, s.initial_about, s.final, s.success, s.within) for s in machine.states]
    nodes.sort(key=lambda node: (node.initial_about is None, node.name))
    frames = tuple(Frame(c.name, c.text, c.within) for c in machine.composites)
    bare = Graph(machine.name, machine.version, tuple(nodes), (), frames)
    kinds = {role.name: role.kind for role in machine.roles}
    lines: dict[tuple[str, str, bool], list[tuple[str, str]]] = {}
    for transition in machine.transitions:
        for failure, target, label in _ways(transition, kinds):
            for source in _together(bare, transition.sources, target):
                lines.setdefault((source, target, failure), []).append((transition.name, label))
    edges = tuple(
        Edge(source, target, failure, tuple(name for name, _ in found), tuple(label for _, label in found))
        for (source, target, failure), unsorted in sorted(lines.items())
        for found in [sorted(unsorted)]
    )
    return replace(bare, edges=edges)


def _together(graph: Graph, sources: tuple[str, ...], target: str) -> tuple[str, ...]:
    """Return the sources, with each composite state in place of the states within it where all of them are there."""
    left = list(sources)
    found: list[str] = []
    for frame in sorted(graph.frames, key=lambda frame: (len(graph.path(frame.name)), frame.name)):
        members = graph.members(frame.name)
        if len(members) > 1 and target not in members and set(members) <= set(left):
            found.append(frame.name)
            left = [name for name in left if name not in members]
    return (*found, *left)


def _ways(transition: Transition, kinds: Mapping[str, RoleKind]) -> list[tuple[bool, str, str]]:
    """Return where a transition can lead, and the label of each: `expire (clock, after 14 days)`."""
    name = transition.name
    notes = ["clock"] if all(kinds[role] is RoleKind.CLOCK for role in transition.by) else []
    notes += [] if transition.after_us is None else [f"after {duration_text(transition.after_us)}"]
    found = [(False, transition.target, f"{name} ({', '.join(notes)})" if notes else name)]
    # A creation that fails leaves no case that could go anywhere.
    if transition.acts and not transition.creates:
        failed, late = transition.on_failed, transition.on_timeout
        if failed is not None:
            found.append((True, failed.target, f"{name} failed"))
        if late is not None:
            found.append((True, late.target, f"{name} timed out ({duration_text(late.within_us)})"))
    return found
