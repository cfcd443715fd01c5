"""Where everything of a diagram stands: a layered layout in whole pixels, the same on every machine.

The method is Sugiyama's (K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981): turn the edges that close a cycle, put every state one layer below those it is reached from, order
the layers so that few edges cross, then draw states below their neighbours. Layers of states alternate with layers of
labels, so that a label has a place of its own as a state has, and nothing covers anything.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from edca.semantic.render.graph import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edca.semantic.render.graph import Edge, Graph, Node

Point = tuple[int, int]

LINE_HEIGHT = 16
BOX_HEIGHT = 42
LOOP_WIDTH = 34  # how far a state's loop to itself reaches out
START_WIDTH = 30  # from the dot where cases begin to the state's box
_GAP = 26  # between neighbours in a layer
_LAYER_GAP = 36
_MARGIN = 16
_SWEEPS = 8
_NARROW, _WIDE = frozenset("fijlrt_I1.,"), frozenset("mwMW")


def text_width(text: str) -> int:
    """Return about how many pixels a line of 13-pixel sans-serif text needs."""
    return sum(5 if letter in _NARROW else 12 if letter in _WIDE else 8 for letter in text)


@dataclass(slots=True)
class _Place:
    """A state, a label, or a bend of an edge while the layout is found; `left` and `right` reach from its middle."""

    index: int
    layer: int
    left: int
    right: int
    height: int
    x: int = 0
    above: list[_Place] = field(default_factory=list)
    below: list[_Place] = field(default_factory=list)


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
class Layout:
    """A whole diagram, in pixels from its upper left corner."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def lay_out(graph: Graph) -> Layout:
    """Return the places of everything in a graph."""
    moves = [edge for edge in graph.edges if edge.source != edge.target]
    loops = {
        node.name: tuple(edge for edge in graph.edges if edge.source == edge.target == node.name)
        for node in graph.nodes
    }
    downward = _without_cycles([node.name for node in graph.nodes], moves)
    layer_of = _layers([node.name for node in graph.nodes], downward)
    places: list[_Place] = []

    def place(layer: int, left: int, right: int, height: int) -> _Place:
        places.append(_Place(len(places), layer, left, right, height))
        return places[-1]

    states = {node.name: place(2 * layer_of[node.name], *_reach(node, loops[node.name])) for node in graph.nodes}
    chains: list[tuple[Edge, bool, list[_Place], _Place]] = []
    for edge, (upper, lower) in zip(moves, downward, strict=True):
        chain, first, last = [states[upper]], 2 * layer_of[upper], 2 * layer_of[lower]
        labelled = (first + last) // 2 | 1  # the layer of labels nearest to the middle
        for layer in range(first + 1, last):
            half = max(map(text_width, labels(edge))) // 2 + 4 if layer == labelled else 4
            height = LINE_HEIGHT * len(edge.transitions) if layer == labelled else 0
            chain.append(place(layer, half, half, height))
        chain.append(states[lower])
        for one, other in pairwise(chain):
            one.below.append(other)
            other.above.append(one)
        chains.append((edge, upper == edge.target, chain, chain[labelled - first]))
    layers = _ordered(places)
    _spread(layers)
    return _drawn(graph, layers, states, chains, loops)


def _reach(node: Node, loops: Sequence[Edge]) -> tuple[int, int, int]:
    """Return how far a state reaches to the left and to the right of its middle, and its height."""
    half = box_width(node) // 2
    beside = [text_width(line) for edge in loops for line in labels(edge)]
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


def _without_cycles(names: Sequence[str], edges: Sequence[Edge]) -> list[tuple[str, str]]:
    """Return each edge as (upper, lower): turned where it leads back to a state on the way to its source."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        after[edge.source].append(edge.target)
    done: set[str] = set()
    turned: set[tuple[str, str]] = set()
    for root in names:
        if root in done:
            continue
        way, on_way = [(root, iter(after[root]))], {root}
        while way:
            name, following = way[-1]
            target = next(following, None)
            if target is None:
                way.pop()
                on_way.discard(name)
                done.add(name)
            elif target in on_way:
                turned.add((name, target))
            elif target not in done:
                way.append((target, iter(after[target])))
                on_way.add(target)
    pairs = [(edge.source, edge.target) for edge in edges]
    return [(target, source) if (source, target) in turned else (source, target) for source, target in pairs]


def _layers(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """Return the layer of each state: one more than the lowest of those above it."""
    above: dict[str, set[str]] = {name: set() for name in names}
    for upper, lower in pairs:
        above[lower].add(upper)
    found: dict[str, int] = {}
    while len(found) < len(names):
        ready = [name for name in names if name not in found and above[name] <= found.keys()]
        found |= {name: max((found[upper] + 1 for upper in above[name]), default=0) for name in ready}
    return found


def _ordered(places: Sequence[_Place]) -> list[list[_Place]]:
    """Return the layers, each ordered so that few edges cross."""
    layers: list[list[_Place]] = [[] for _ in range(max((p.layer for p in places), default=-1) + 1)]
    for place in places:
        layers[place.layer].append(place)
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    rank = {place.index: 1000 * position for layer in layers for position, place in enumerate(layer)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            near = [[rank[other.index] for other in (place.above if down else place.below)] for place in layer]
            middles = [_middle(n, rank[place.index]) for place, n in zip(layer, near, strict=True)]
            # Where two are drawn to one place, they stay in their order.
            order = sorted(range(len(layer)), key=middles.__getitem__)
            layer[:] = [layer[position] for position in order]
            rank |= {place.index: 1000 * position for position, place in enumerate(layer)}
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _middle(values: Sequence[int], otherwise: int) -> int:
    return sum(values) // len(values) if values else otherwise


def _crossings(layers: Sequence[Sequence[_Place]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        rank = {place.index: position for position, place in enumerate(lower)}
        ends = [rank[other.index] for place in upper for other in sorted(place.below, key=lambda p: rank[p.index])]
        earlier: list[int] = []
        for end in ends:
            position = bisect_right(earlier, end)
            count += len(earlier) - position
            earlier.insert(position, end)
    return count


def _spread(layers: Sequence[Sequence[_Place]]) -> None:
    """Give every place its x: near its neighbours, and clear of those beside it."""
    for layer in layers:
        _apart(layer, [0] * len(layer))
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            near = [(place.above if down else place.below) or [*place.above, *place.below] for place in layer]
            _apart(layer, [_middle([other.x for other in n], place.x) for place, n in zip(layer, near, strict=True)])


def _apart(layer: Sequence[_Place], wanted: Sequence[int]) -> None:
    """Put each place where it wants to be; those that would overlap share the difference."""
    rightward: list[int] = []
    for place, want in zip(layer, wanted, strict=True):
        clear = rightward[-1] + layer[len(rightward) - 1].right + _GAP + place.left if rightward else want
        rightward.append(max(want, clear))
    leftward: list[int] = []
    for place, want in zip(reversed(layer), reversed(wanted), strict=True):
        clear = leftward[-1] - layer[-len(leftward)].left - _GAP - place.right if leftward else want
        leftward.append(min(want, clear))
    for place, right, left in zip(layer, rightward, reversed(leftward), strict=True):
        place.x = (right + left) // 2


def _drawn(
    graph: Graph,
    layers: Sequence[Sequence[_Place]],
    states: Mapping[str, _Place],
    chains: Sequence[tuple[Edge, bool, list[_Place], _Place]],
    loops: Mapping[str, tuple[Edge, ...]],
) -> Layout:
    everything = [place for layer in layers for place in layer]
    shift = _MARGIN - min((place.x - place.left for place in everything), default=0)
    bands: list[tuple[int, int]] = []  # where each layer begins and ends
    top = _MARGIN
    for layer in layers:
        bands.append((top, top + max(place.height for place in layer)))
        top = bands[-1][1] + _LAYER_GAP
    middles = [(upper + lower) // 2 for upper, lower in bands]
    for place in everything:
        place.x += shift
    boxes = tuple(
        Box(node, (states[node.name].x, middles[states[node.name].layer]), box_width(node), loops[node.name])
        for node in graph.nodes
    )
    lines = []
    for edge, turned, chain, label in chains:
        upper, lower = chain[0], chain[-1]
        start, end = _port(upper, upper.below, chain[1], boxes), _port(lower, lower.above, chain[-2], boxes)
        points = [
            (start, middles[upper.layer] + BOX_HEIGHT // 2),
            (start, bands[upper.layer][1]),
            # Lines bend between layers only, so that none crosses what stands in one.
            *((place.x, y) for place in chain[1:-1] for y in bands[place.layer]),
            (end, bands[lower.layer][0]),
            (end, middles[lower.layer] - BOX_HEIGHT // 2),
        ]
        points = [point for point, before in zip(points, [None, *points], strict=False) if point != before]
        lines.append(Line(edge, tuple(reversed(points) if turned else points), (label.x, middles[label.layer])))
    width = max((place.x + place.right for place in everything), default=0) + _MARGIN
    return Layout(width, top - _LAYER_GAP + _MARGIN, boxes, tuple(lines))


def _port(state: _Place, neighbours: Sequence[_Place], neighbour: _Place, boxes: Sequence[Box]) -> int:
    """Return where on a box's side an edge to a neighbour leaves: in the order of the neighbours."""
    order = sorted(neighbours, key=lambda place: (place.x, place.index))
    position = [place.index for place in order].index(neighbour.index)
    room = boxes[state.index].width - 24  # boxes and states are in one order
    return state.x - room // 2 + room * (2 * position + 1) // (2 * len(order))
