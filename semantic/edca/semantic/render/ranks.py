"""Ranks and strips: which layer everything of a diagram stands in, in which order, and how far to the right."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edca.semantic.render.graph import Graph

GAP = 26  # between neighbours in a layer
FRAME_PAD = 12  # between a frame and what it is drawn around
_SWEEPS = 8
_NARROW, _WIDE = frozenset("fijlrt_I1.,"), frozenset("mwMW")


def text_width(text: str) -> int:
    """Return about how many pixels a line of 13-pixel sans-serif text needs."""
    return sum(5 if letter in _NARROW else 12 if letter in _WIDE else 8 for letter in text)


@dataclass(slots=True)
class Place:
    """A state, a label, or a bend of an edge while the layout is found; `left` and `right` reach from its middle.

    `strip` are the composite states it lies within, from the outermost.
    """

    index: int
    layer: int
    strip: tuple[str, ...]
    left: int
    right: int
    height: int
    x: int = 0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)


def common_strip(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return the composite states that lie around both."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(name for name, _ in same)


def strips_of(graph: Graph, places: Sequence[Place]) -> list[tuple[str, ...]]:
    """Return every strip in the order they stand in: what is in no frame, then frame by frame, the upper ones first."""
    first: dict[tuple[str, ...], int] = {}
    for place in places:
        for depth in range(len(place.strip) + 1):
            strip = place.strip[:depth]
            first[strip] = min(place.layer, first.get(strip, place.layer))
    paths = [(), *(graph.path(frame.name) for frame in graph.frames)]
    return sorted(paths, key=lambda path: [(first.get(path[: n + 1], 0), path[n]) for n in range(len(path))])


def without_cycles(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return each edge as (upper, lower): turned where it leads back to a state on the way to its source."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, end in edges:
        after[source].append(end)
    done: set[str] = set()
    turned: set[tuple[str, str]] = set()
    for root in names:
        if root in done:
            continue
        way, on_way = [(root, iter(after[root]))], {root}
        while way:
            name, following = way[-1]
            target = next(following, "")  # no state has an empty name
            if not target:
                way.pop()
                on_way.discard(name)
                done.add(name)
            elif target in on_way:
                turned.add((name, target))
            elif target not in done:
                way.append((target, iter(after[target])))
                on_way.add(target)
    return [(end, source) if (source, end) in turned else (source, end) for source, end in edges]


def layers_of(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """Return the layer of each state: one more than the lowest of those above it."""
    above: dict[str, set[str]] = {name: set() for name in names}
    for upper, lower in pairs:
        above[lower].add(upper)
    found: dict[str, int] = {}
    while len(found) < len(names):
        ready = [name for name in names if name not in found and above[name] <= found.keys()]
        found |= {name: max((found[upper] + 1 for upper in above[name]), default=0) for name in ready}
    return found


def ordered(places: Sequence[Place], strips: Sequence[tuple[str, ...]]) -> list[list[Place]]:
    """Return the layers, each ordered by strip, and within one so that few edges cross."""
    position_of = {strip: position for position, strip in enumerate(strips)}
    layers: list[list[Place]] = [[] for _ in range(max((p.layer for p in places), default=-1) + 1)]
    for place in places:
        layers[place.layer].append(place)
    for layer in layers:
        layer.sort(key=lambda place: position_of[place.strip])
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    rank = {place.index: 1000 * position for layer in layers for position, place in enumerate(layer)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            near = [[rank[other.index] for other in (place.above if down else place.below)] for place in layer]
            middles = [_middle(n, rank[place.index]) for place, n in zip(layer, near, strict=True)]
            # Where two are drawn to one place, they stay in their order.
            order = sorted(range(len(layer)), key=lambda at: (position_of[layer[at].strip], middles[at]))
            layer[:] = [layer[position] for position in order]
            rank |= {place.index: 1000 * position for position, place in enumerate(layer)}
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _middle(values: Sequence[int], otherwise: int) -> int:
    return sum(values) // len(values) if values else otherwise


def _crossings(layers: Sequence[Sequence[Place]]) -> int:
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


def pack(
    graph: Graph,
    layers: Sequence[Sequence[Place]],
    strips: Sequence[tuple[str, ...]],
    strip: tuple[str, ...],
    left: int,
    widths: dict[tuple[str, ...], tuple[int, int]],
) -> int:
    """Put a strip and those within it side by side, from `left` on; note where each frame begins and ends."""
    own = [[place for place in layer if place.strip == strip] for layer in layers]
    _spread(own)
    places = [place for layer in own for place in layer]
    right = left
    if places:
        shift = left - min(place.x - place.left for place in places)
        for place in places:
            place.x += shift
        right = max(place.x + place.right for place in places)
    for inner in strips:
        if inner[:-1] == strip and inner:
            begin = right + (GAP if right > left else 0) + FRAME_PAD
            right = pack(graph, layers, strips, inner, begin, widths) + FRAME_PAD
    right = max(right, left + (text_width(strip[-1]) + 8 if strip else 0))
    widths[strip] = left, right
    return right


def _spread(layers: Sequence[Sequence[Place]]) -> None:
    """Give every place of a strip its x: near its neighbours in there, and clear of those beside it."""
    for layer in layers:
        _apart(layer, [0] * len(layer))
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted = [_middle(_beside(place, down), place.x) for place in layer]
            _apart(layer, wanted)


def _beside(place: Place, down: bool) -> list[int]:
    """Return where the neighbours of a place are; those in other strips pull it to the middle of its own."""
    near = (place.above if down else place.below) or [*place.above, *place.below]
    return [other.x if other.strip == place.strip else 0 for other in near]


def _apart(layer: Sequence[Place], wanted: Sequence[int]) -> None:
    """Put each place where it wants to be; those that would overlap share the difference."""
    rightward: list[int] = []
    for place, want in zip(layer, wanted, strict=True):
        clear = rightward[-1] + layer[len(rightward) - 1].right + GAP + place.left if rightward else want
        rightward.append(max(want, clear))
    leftward: list[int] = []
    for place, want in zip(reversed(layer), reversed(wanted), strict=True):
        clear = leftward[-1] - layer[-len(leftward)].left - GAP - place.right if leftward else want
        leftward.append(min(want, clear))
    for place, right, left in zip(layer, rightward, reversed(leftward), strict=True):
        place.x = (right + left) // 2
