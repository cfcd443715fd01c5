"""Goal: in every picture nothing covers anything, and every line leads from its source to its target."""

import dataclasses
import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from edca.semantic.render.graph import Edge, Frame, Graph, Node
from edca.semantic.render.layout import BOX_HEIGHT, LINE_HEIGHT, Border, Layout, lay_out
from edca.semantic.render.mermaid import dot, mermaid
from edca.semantic.render.ranks import text_width
from edca.semantic.render.svg import svg

Rectangle = tuple[int, int, int, int]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to eight states, cycles, loops and parts without connection included."""
    names = [f"s{index}" for index in range(draw(st.integers(1, 8)))]
    pairs = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names), st.booleans()), max_size=16))
    about = draw(st.sets(st.sampled_from(names)))
    # Composite states, the second and third perhaps within an earlier one; a name may be wider than what is within.
    around = [
        draw(st.sampled_from((None, *(f"c{n}" for n in range(index))))) for index in range(draw(st.integers(0, 3)))
    ]
    frames = tuple(Frame(f"c{index}", "Held together.", within) for index, within in enumerate(around))
    within = st.sampled_from((None, *(frame.name for frame in frames)))
    nodes = tuple(
        Node(n, "Meant.", "order" if n in about else None, n == names[-1], n == names[-1], draw(within)) for n in names
    )
    bare = Graph("drawn", "1", nodes, (), frames)
    # What leads away from all states within a composite, as `graph_of` puts it together: to a state outside.
    together = {
        (frame.name, node.name, failure)
        for frame, node, failure in draw(
            st.lists(st.tuples(st.sampled_from(frames), st.sampled_from(nodes), st.booleans()), max_size=4)
            if frames
            else st.just([])
        )
        if len(bare.members(frame.name)) > 1 and node.name not in bare.members(frame.name)
    }
    edges = tuple(
        Edge(source, target, failure, names, names)
        for index, (source, target, failure) in enumerate(sorted(pairs | together))
        for names in [tuple(f"move_{index}_{other}" for other in range(1 + index % 3))]
    )
    return dataclasses.replace(bare, edges=edges)


def _rectangles(layout: Layout) -> list[Rectangle]:
    found = []
    for box in layout.boxes:
        x, y = box.middle
        found.append((x - box.width // 2, y - BOX_HEIGHT // 2, x + box.width // 2, y + BOX_HEIGHT // 2))
    for line in layout.lines:
        (x, y), words = line.label, line.edge.labels
        half = max(map(text_width, words)) // 2
        height = LINE_HEIGHT * len(words) // 2
        found.append((x - half, y - height, x + half, y + height))
    return found


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_nothing_covers_anything(graph: Graph) -> None:
    layout = lay_out(graph)
    places = _rectangles(layout)
    for index, one in enumerate(places):
        assert 0 <= one[0] and 0 <= one[1] and one[2] <= layout.width and one[3] <= layout.height
        assert not [other for other in places[index + 1 :] if _overlap(one, other)]


def _corners(border: Border) -> Rectangle:
    return (*border.upper, *border.lower)


def _holds(outer: Rectangle, inner: Rectangle) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_a_frame_holds_its_states_and_no_others(graph: Graph) -> None:
    layout = lay_out(graph)
    for border in layout.borders:
        frame = _corners(border)
        assert _holds((0, 0, layout.width, layout.height), frame)
        for box, corners in zip(layout.boxes, _rectangles(layout), strict=False):
            inside = border.frame.name in graph.path(box.node.within)
            assert _holds(frame, corners) if inside else not _overlap(frame, corners)
        for other in layout.borders:
            inside = border.frame.name in graph.path(other.frame.within)
            around = other.frame.name in graph.path(border.frame.within)
            if inside:
                assert _holds(frame, _corners(other))
            elif not around and other is not border:
                assert not _overlap(frame, _corners(other))
    drawn = {border.frame.name for border in layout.borders}
    assert drawn == {name for node in graph.nodes for name in graph.path(node.within)}


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_lines_lead_from_box_to_box(graph: Graph) -> None:
    layout = lay_out(graph)
    boxes = {box.node.name: box for box in layout.boxes}
    borders = {border.frame.name: border for border in layout.borders}
    drawn: dict[Edge, int] = {}
    for line in layout.lines:
        (start_x, start_y), edge = line.points[0], line.edge
        if edge.source in borders:
            (left, top), (right, bottom) = borders[edge.source].upper, borders[edge.source].lower
            assert left < start_x < right and start_y in (top, bottom)
        places = [(line.points[-1], edge.target)] + ([] if edge.source in borders else [(line.points[0], edge.source)])
        for (x, y), name in places:
            box = boxes[name]
            assert abs(x - box.middle[0]) <= box.width // 2
            assert abs(y - box.middle[1]) == BOX_HEIGHT // 2
        drawn[edge] = drawn.get(edge, 0) + 1
    for edge in graph.edges:
        members = graph.members(edge.source)
        if edge.source == edge.target:
            assert any(edge in box.loops for box in layout.boxes)
        elif edge not in drawn:  # then it is drawn from each state within
            for member in members:
                assert drawn.pop(dataclasses.replace(edge, source=member)) == 1
        else:
            assert drawn.pop(edge) == 1
    assert drawn == {}


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_every_kind_of_picture_shows_every_edge(graph: Graph) -> None:
    picture = svg(graph)
    words = "".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 -- our own text
    for edge in graph.edges:
        for label in edge.labels:
            assert label in words
            assert f"  s_{edge.source} --> s_{edge.target} : {label}\n" in mermaid(graph)
        assert f'  "{graph.members(edge.source)[0]}" -> "{edge.target}" [label="{edge.labels[0]}' in dot(graph)
    assert svg(graph) == picture and not re.search(r"\d\.\d", picture.split("<defs>")[0])


def test_a_large_graph_is_drawn_in_a_moment() -> None:
    count = 120
    nodes = tuple(Node(f"s{i}", "Meant.", "order" if i == 0 else None, i == count - 1, False) for i in range(count))
    forward = [Edge(f"s{i}", f"s{i + 1}", False, ("go",), ("go",)) for i in range(count - 1)]
    backward = [Edge(f"s{i}", f"s{i // 2}", True, ("back",), ("back",)) for i in range(2, count)]
    picture = svg(Graph("large", "1", nodes, (*forward, *backward)))
    assert picture.count("marker-end") == len(forward) + len(backward) + 1  # one more, into the first state
