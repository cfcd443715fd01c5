"""Where everything of a diagram stands: a layered layout in whole pixels, the same on every machine.

The method is Sugiyama's (K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981): turn the edges that close a cycle, put every state one layer below those it is reached from, order
the layers so that few edges cross, then draw states below their neighbours. Layers of states alternate with layers of
labels, so that a label has a place of its own as a state has, and nothing covers anything.

A composite state is a frame around its states. So all that lies within one gets a strip of the picture for itself, from
top to bottom: within a strip the method is the same, and frames can't overlap.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from edca.semantic.render.ranks import (
    FRAME_PAD,
    Place,
    common_strip,
    layers_of,
    ordered,
    pack,
    strips_of,
    text_width,
    without_cycles,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.semantic.render.graph import Edge, Frame, Graph, Node

Point = tuple[int, int]
Strip = tuple[str, ...]

LINE_HEIGHT = 16
BOX_HEIGHT = 42
LOOP_WIDTH = 34  # how far a state's loop to itself reaches out
START_WIDTH = 30  # from the dot where cases begin to the state's box
FRAME_TITLE = 20  # the height of a frame's name
_LAYER_GAP = 36
_MARGIN = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A state's box: its middle, its size, and where the label of its loops stands, if it has any."""

    node: Node
    middle: Point
    width: int
    loops: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between two boxes: the points it goes through, from its source, and the middle of its label."""

    edge: Edge
    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Border:
    """A composite state's frame: its upper left and its lower right corner."""

    frame: Frame
    upper: Point
    lower: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole diagram, in pixels from its upper left corner."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    borders: tuple[Border, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """An edge as it is drawn: between two states, or (`framed`) from the border of the frame around `source`."""

    edge: Edge
    source: str
    target: str
    framed: bool


@dataclass(frozen=True, slots=True)
class _Chain:
    """A run's places from its upper end to its lower one, and that of its label; `turned`: it leads upwards."""

    run: _Run
    turned: bool
    places: list[Place]
    label: Place


def lay_out(graph: Graph) -> Layout:
    """Return the places of everything in a graph."""
    loops = {
        node.name: tuple(edge for edge in graph.edges if edge.source == edge.target == node.name)
        for node in graph.nodes
    }
    names = [node.name for node in graph.nodes]
    pairs = [
        (member, edge.target) for edge in graph.edges for member in graph.members(edge.source) if member != edge.target
    ]
    layer_of = layers_of(names, without_cycles(names, pairs))
    places: list[Place] = []

    def place(layer: int, strip: Strip, left: int, right: int, height: int) -> Place:
        places.append(Place(len(places), layer, strip, left, right, height))
        return places[-1]

    states = {
        node.name: place(2 * layer_of[node.name], graph.path(node.within), *_reach(node, loops[node.name]))
        for node in graph.nodes
    }
    chains: list[_Chain] = []
    for run in _runs(graph, layer_of):
        turned = layer_of[run.source] > layer_of[run.target]
        upper, lower = (states[run.source], states[run.target])[:: -1 if turned else 1]
        outside = states[run.source].strip
        if run.framed:
            outside = graph.path(run.edge.source)[:-1]
        strip = common_strip(outside, states[run.target].strip)
        labelled = (upper.layer + lower.layer) // 2 | 1  # the layer of labels nearest to the middle
        between = []
        for layer in range(upper.layer + 1, lower.layer):
            half = max(map(text_width, run.edge.labels)) // 2 + 4 if layer == labelled else 4
            height = LINE_HEIGHT * len(run.edge.labels) if layer == labelled else 0
            between.append(place(layer, strip, half, half, height))
        chain = [upper, *between, lower]
        for one, other in pairwise(chain):
            one.below.append(other)
            other.above.append(one)
        chains.append(_Chain(run, turned, chain, chain[labelled - upper.layer]))
    strips = strips_of(graph, places)
    layers = ordered(places, strips)
    widths: dict[Strip, tuple[int, int]] = {}
    pack(graph, layers, strips, (), _MARGIN, widths)
    return _drawn(graph, layers, states, chains, loops, widths)


def _runs(graph: Graph, layer_of: Mapping[str, int]) -> Iterator[_Run]:
    """Yield each edge that leads from one state to another, as it is drawn.

    What leads away from all states within a composite is drawn from its frame where the target stands clear of it,
    above or below; else from each of the states.
    """
    for edge in graph.edges:
        members = graph.members(edge.source)
        target = layer_of[edge.target]
        order = sorted(members, key=lambda name: (layer_of[name], name))
        if members == (edge.source,):
            if edge.source != edge.target:
                yield _Run(edge, edge.source, edge.target, False)
        elif layer_of[order[-1]] < target:
            yield _Run(edge, order[-1], edge.target, True)
        elif layer_of[order[0]] > target:
            yield _Run(edge, order[0], edge.target, True)
        else:
            for member in members:
                yield _Run(dataclasses.replace(edge, source=member), member, edge.target, False)


def _reach(node: Node, loops: Sequence[Edge]) -> tuple[int, int, int]:
    """Return how far a state reaches to the left and to the right of its middle, and its height."""
    half = box_width(node) // 2
    beside = [text_width(line) for edge in loops for line in edge.labels]
    left = half + (START_WIDTH if node.initial_about is not None else 0)
    right = half + (LOOP_WIDTH + max(beside) + 6 if beside else 0)
    return left, right, max(BOX_HEIGHT, LINE_HEIGHT * len(beside))


def box_width(node: Node) -> int:
    """Return how wide a state's box is."""
    return max(text_width(node.name) + 28, text_width(caption(node)) + 20, 80)


def caption(node: Node) -> str:
    """Return the small line below a state's name."""
    parts = [] if node.initial_about is None else [f"start of {node.initial_about}"]
    return ", ".join([*parts, *(["end: success" if node.success else "end"] if node.final else [])])


def _drawn(
    graph: Graph,
    layers: Sequence[Sequence[Place]],
    states: Mapping[str, Place],
    chains: Sequence[_Chain],
    loops: Mapping[str, tuple[Edge, ...]],
    widths: Mapping[Strip, tuple[int, int]],
) -> Layout:
    everything = [place for layer in layers for place in layer]
    spans = _spans(everything)
    bands = _bands(layers, spans)
    middles = [(upper + lower) // 2 for upper, lower in bands]
    boxes = tuple(
        Box(node, (states[node.name].x, middles[states[node.name].layer]), box_width(node), loops[node.name])
        for node in graph.nodes
    )
    borders = _borders(graph, bands, spans, widths)
    lines = tuple(_line(chain, bands, middles, boxes, borders) for chain in chains)
    rights = [place.x + place.right for place in everything] + [border.lower[0] for border in borders]
    bottoms = [bands[-1][1]] + [border.lower[1] for border in borders]
    return Layout(max(rights) + _MARGIN, max(bottoms) + _MARGIN, boxes, lines, borders)


def _spans(places: Sequence[Place]) -> dict[Strip, tuple[int, int]]:
    """Return the first and the last layer of what lies within each frame."""
    found: dict[Strip, tuple[int, int]] = {}
    for place in places:
        for depth in range(1, len(place.strip) + 1):
            first, last = found.get(place.strip[:depth], (place.layer, place.layer))
            found[place.strip[:depth]] = min(first, place.layer), max(last, place.layer)
    return found


def _nested(strip: Strip, spans: Mapping[Strip, tuple[int, int]]) -> int:
    """Return how many frames lie inside one another here, this one included."""
    return max(len(other) for other in spans if other[: len(strip)] == strip) - len(strip) + 1


def _bands(layers: Sequence[Sequence[Place]], spans: Mapping[Strip, tuple[int, int]]) -> list[tuple[int, int]]:
    """Return where each layer begins and ends, with room for the frames that begin above it or end below it."""
    above, below = [0] * len(layers), [0] * len(layers)
    for strip, (first, last) in spans.items():
        above[first] = max(above[first], _nested(strip, spans) * (FRAME_PAD + FRAME_TITLE))
        below[last] = max(below[last], _nested(strip, spans) * FRAME_PAD)
    bands: list[tuple[int, int]] = []
    top = _MARGIN
    for index, layer in enumerate(layers):
        top += above[index]
        bands.append((top, top + max(place.height for place in layer)))
        top = bands[-1][1] + below[index] + _LAYER_GAP
    return bands


def _borders(
    graph: Graph,
    bands: Sequence[tuple[int, int]],
    spans: Mapping[Strip, tuple[int, int]],
    widths: Mapping[Strip, tuple[int, int]],
) -> tuple[Border, ...]:
    """Return the frame of each composite state, as high as the layers that what lies within it reaches over."""
    found = []
    for frame in graph.frames:
        strip = graph.path(frame.name)
        if strip not in spans:
            continue  # there is nothing to draw it around
        inner = _nested(strip, spans)
        (left, right), (first, last) = widths[strip], spans[strip]
        upper = left - FRAME_PAD, bands[first][0] - inner * (FRAME_PAD + FRAME_TITLE)
        found.append(Border(frame, upper, (right + FRAME_PAD, bands[last][1] + inner * FRAME_PAD)))
    return tuple(found)


def _line(
    chain: _Chain,
    bands: Sequence[tuple[int, int]],
    middles: Sequence[int],
    boxes: Sequence[Box],
    borders: Sequence[Border],
) -> Line:
    places, upper, lower = chain.places, chain.places[0], chain.places[-1]
    start, end = _port(upper, upper.below, places[1], boxes), _port(lower, lower.above, places[-2], boxes)
    head = [(start, middles[upper.layer] + BOX_HEIGHT // 2), (start, bands[upper.layer][1])]
    tail = [(end, bands[lower.layer][0]), (end, middles[lower.layer] - BOX_HEIGHT // 2)]
    if chain.run.framed:
        border = next(border for border in borders if border.frame.name == chain.run.edge.source)
        beside = places[-2] if chain.turned else places[1]
        x = min(max(beside.x, border.upper[0] + FRAME_PAD), border.lower[0] - FRAME_PAD)
        if chain.turned:
            tail = [(x, border.upper[1])]
        else:
            head = [(x, border.lower[1])]
    # Lines bend between layers only, so that none crosses what stands in one.
    bends = [(place.x, y) for place in places[1:-1] for y in bands[place.layer]]
    points = [*head, *bends, *tail]
    points = [point for point, before in zip(points, [None, *points], strict=False) if point != before]
    return Line(
        chain.run.edge,
        tuple(reversed(points) if chain.turned else points),
        (chain.label.x, middles[chain.label.layer]),
    )


def _port(state: Place, neighbours: Sequence[Place], neighbour: Place, boxes: Sequence[Box]) -> int:
    """Return where on a box's side an edge to a neighbour leaves: in the order of the neighbours."""
    order = sorted(neighbours, key=lambda place: (place.x, place.index))
    position = [place.index for place in order].index(neighbour.index)
    room = boxes[state.index].width - 24  # boxes and states are in one order
    return state.x - room // 2 + room * (2 * position + 1) // (2 * len(order))
