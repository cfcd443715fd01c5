"""Goal: in every picture nothing covers anything, and every line leads from its source to its target."""

import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from edca.semantic.render.graph import Edge, Graph, Node, labels
from edca.semantic.render.layout import BOX_HEIGHT, LINE_HEIGHT, Layout, lay_out, text_width
from edca.semantic.render.mermaid import dot, mermaid
from edca.semantic.render.svg import svg

Rectangle = tuple[int, int, int, int]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to eight states, cycles, loops and parts without connection included."""
    names = [f"s{index}" for index in range(draw(st.integers(1, 8)))]
    pairs = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names), st.booleans()), max_size=16))
    about = draw(st.sets(st.sampled_from(names)))
    nodes = tuple(Node(n, "Meant.", "order" if n in about else None, n == names[-1], n == names[-1]) for n in names)
    edges = tuple(
        Edge(source, target, tuple(f"move_{index}_{other}" for other in range(1 + index % 3)), failure)
        for index, (source, target, failure) in enumerate(sorted(pairs))
    )
    return Graph("drawn", "1", nodes, edges)


def _rectangles(layout: Layout) -> list[Rectangle]:
    found = []
    for box in layout.boxes:
        x, y = box.middle
        found.append((x - box.width // 2, y - BOX_HEIGHT // 2, x + box.width // 2, y + BOX_HEIGHT // 2))
    for line in layout.lines:
        (x, y), words = line.label, labels(line.edge)
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


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_lines_lead_from_box_to_box(graph: Graph) -> None:
    layout = lay_out(graph)
    boxes = {box.node.name: box for box in layout.boxes}
    for line in layout.lines:
        for (x, y), name in ((line.points[0], line.edge.source), (line.points[-1], line.edge.target)):
            box = boxes[name]
            assert abs(x - box.middle[0]) <= box.width // 2
            assert abs(y - box.middle[1]) == BOX_HEIGHT // 2
    drawn = len(layout.lines) + sum(len(box.loops) for box in layout.boxes)
    assert drawn == len(graph.edges)


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_every_kind_of_picture_shows_every_edge(graph: Graph) -> None:
    picture = svg(graph)
    words = "".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 -- our own text
    for edge in graph.edges:
        for label in labels(edge):
            assert label in words
            assert f"  s_{edge.source} --> s_{edge.target} : {label}\n" in mermaid(graph)
        assert f'  "{edge.source}" -> "{edge.target}" [label="{labels(edge)[0]}' in dot(graph)
    assert svg(graph) == picture and not re.search(r"\d\.\d", picture.split("<defs>")[0])


def test_a_large_graph_is_drawn_in_a_moment() -> None:
    count = 120
    nodes = tuple(Node(f"s{i}", "Meant.", "order" if i == 0 else None, i == count - 1, False) for i in range(count))
    forward = [Edge(f"s{i}", f"s{i + 1}", ("go",), False) for i in range(count - 1)]
    backward = [Edge(f"s{i}", f"s{i // 2}", ("back",), True) for i in range(2, count)]
    picture = svg(Graph("large", "1", nodes, (*forward, *backward)))
    assert picture.count("marker-end") == len(forward) + len(backward) + 1  # one more, into the first state
