"""Goal: a page holds everything of its spec, escaped, and is the same everywhere. EDCA_UPDATE_GOLDEN=1 writes them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edca.kernel.machine import LeadsTo, Machine
from edca.semantic.compile import Compiled
from edca.semantic.render.difference import difference_page
from edca.semantic.render.graph import Graph, Node, graph_of
from edca.semantic.render.html import html
from edca.semantic.render.markdown import markdown
from edca.semantic.render.mermaid import dot, mermaid
from edca.semantic.render.page import Page
from edca.semantic.render.svg import svg

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "corpus" / "render_spec"
VOID = {"meta", "br", "rect", "circle", "path"}
HOSTILE = r"</title><script>alert(1)</script> *x* _y_ `z` | a \| # [l](http://x) &amp; <b> ~~s~~"


def _golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("EDCA_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "path", ["specs/refund/refund.edca", "specs/airline/airline.edca", "tests/corpus/render_spec/permits.edca"]
)
def test_whole_specs(path: str, compiled: Callable[[str], Compiled], page_of: Callable[[str], Page]) -> None:
    """`permits` has one of each construct of the language."""
    name, text = Path(path).stem, (ROOT / path).read_text(encoding="utf-8")
    machine, page = compiled(text).machine, page_of(text)
    assert machine is not None
    graph = graph_of(machine)
    _golden(f"{name}.md", markdown(page))
    _golden(f"{name}.html", html(page))
    _golden(f"{name}.mmd", mermaid(graph))
    _golden(f"{name}.svg", svg(graph))
    _golden(f"{name}.dot", dot(graph))
    assert _missing(machine, html(page)) == []


def _missing(machine: Machine, page: str) -> list[str]:
    """Return every text and code of a machine that its page does not show."""
    shown = re.sub(r"&#x27;|&quot;|&amp;", lambda one: {"&#x27;": "'", "&quot;": '"', "&amp;": "&"}[one[0]], page)
    wanted = [machine.text, machine.version, machine.digest.hex()]
    texts = [*machine.states, *machine.composites, *machine.claims, *machine.modes, *machine.properties]
    wanted += [item.text for item in (*texts, *machine.releases)]
    wanted += [mode.name for mode in machine.modes] + [item.code for item in machine.properties]
    wanted += [item.assuming for item in machine.properties if isinstance(item, LeadsTo) and item.assuming is not None]
    for transition in machine.transitions:
        wanted += [transition.name, transition.offered, transition.text]
        wanted += [edge.text for edge in (transition.on_failed, transition.on_timeout) if edge is not None]
        for clause in transition.clauses:
            wanted += [clause.code, clause.text]
    named = [*machine.roles, *machine.entities, *machine.claims, *machine.effects, *machine.memory, *machine.states]
    wanted += [one.name.replace("_", " ") for one in named if one.name != "clock"]
    wanted += [field.name.replace("_", " ") for entity in machine.entities for field in entity.fields]
    return [text for text in wanted if text not in shown]


def test_a_difference(refund: str, page_of: Callable[[str], Page]) -> None:
    changed = refund
    for was, now in (
        ('version "1.0.0"', 'version "1.1.0"'),
        ("confidence >= 0.85", "confidence >= 0.90"),
        ("within 30 minutes", "within 10 minutes"),
        ("| regular, true  => 500.00", "| regular, true  => 400.00"),
        ('claim reason : text(400) by customer "Why', 'claim reason : text(200) by customer "Why'),
        ('forbid frozen    "The account is under investigation."  when order.frozen\n', ""),
        ('go stuck "The money was not sent', 'go declined "The money was not sent'),
    ):
        assert was in changed
        changed = changed.replace(was, now, 1)
    _golden("refund-difference.md", markdown(difference_page(page_of(refund), page_of(changed))))


def test_a_difference_in_each_construct(permits: str, page_of: Callable[[str], Page]) -> None:
    changed = permits
    for was, now in (
        ("count to 20", "count to 30"),
        ("per rolling 1 hour per proposer", "per rolling 2 hours per proposer"),
        ("utc day per site.holder, proposer", "utc week per site.holder"),
        ("by 2 of board", "by 3 of board"),
        ("distinct from proposer of check, signers", "distinct from signers"),
        ("when fee <= 500.00", "when fee <= 600.00"),
        ("priority 2", "priority 3"),
        ("after   90 days", "after   60 days"),
        ("timeout 2 minutes", "timeout 3 minutes"),
        ('go unclear "Nobody knows', 'go unclear "No one knows'),
        ("failures > 5", "failures > 6"),
        ("leave by board", "leave by officer"),
        ("while agreed, issued when due", "while issued when due"),
        ("leads to refused, issued, unclear", "leads to refused, issued, agreed, unclear"),
        ("contact    to issue ", "contact    to issue, officer "),
        ("in eur", "in usd"),
        ("value     : money,", "value     : money secret,"),
        ('"There is no permit." failure', '"There is no permit." success'),
        ('"Somebody is looking at it."', '"An officer is looking at it."'),
    ):
        assert was in changed, was
        changed = changed.replace(was, now, 1)
    _golden("permits-difference.md", markdown(difference_page(page_of(permits), page_of(changed))))


class _Tags(HTMLParser):
    """Collects the tags of a document, and holds that each that is opened is closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_texts_of_a_spec_are_never_markup(refund: str, page_of: Callable[[str], Page]) -> None:
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    text = refund.replace("Money back for a delivered order.", quoted).replace("More than was paid.", quoted)
    text = text.replace("The money has left. It cannot be called back.", quoted)
    page = page_of(text)
    tags = _Tags()
    tags.feed(html(page))
    assert tags.open == [] and "script" not in tags.seen and "b" not in tags.seen
    for line in markdown(page).splitlines():
        # Whatever could begin markup has a backslash before it.
        if "alert" in line:
            assert r"\</title\>\<script\>alert(1)" in line and r"\*x\*" in line and r"\`z\`" in line
            assert r"\| a \\\| \# \[l\]" in line and r"\&amp;" in line and r"\~\~s\~\~" in line


def test_a_picture_is_xml_whatever_a_state_means() -> None:
    node = Node("declined", "\u202e <&> \u0007", None, True, False)
    text = svg(Graph("refund", "1 & <2>", (node,), ()))
    ElementTree.fromstring(text)  # noqa: S314 -- our own text
    assert "\u202e" not in text and "\ufffd &lt;&amp;&gt; \ufffd" in text


_RENDER = """
import sys
from pathlib import Path
from edca.cli.main import main
main(["render", sys.argv[1], "--format", "html"])
"""


def test_pages_do_not_depend_on_the_process(tmp_path: Path) -> None:
    spec = ROOT / "specs" / "refund" / "refund.edca"
    pages = {
        subprocess.run(
            [sys.executable, "-c", _RENDER, str(spec)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("77", "Pacific/Auckland"))
    }
    assert len(pages) == 1


QUERY = """
query order_of(order_id: id, least: money) about order by order_id
{
  means "The customer's own order."
  by    assistant, customer
  require order.total >= least and proposer != subject else refuse too_small "It is smaller than that."
  returns status = order.status
}
query free_look(order_id: id) about order by order_id
{
  means "A look that nothing holds up."
  by    supervisor
  unblockable
  returns status = order.status
}
"""


def test_a_page_says_who_may_look_what_up_and_what_is_forbidden_there(
    refund: str, page_of: Callable[[str], Page]
) -> None:
    text, without = markdown(page_of(refund + QUERY)), markdown(page_of(refund))
    roles = [line for line in text.splitlines() if line.startswith(("| role |", "| *assistant* |", "| *customer* |"))]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in roles]
    at = cells[0].index("may look up")
    assert [row[at] for row in cells[1:]] == ["`order_of`", "`order_of`"]
    assert text.count("It is a clause of every query about an *order*, except of `free_look`.") == 2
    assert "may look up" not in without and "every query" not in without


def test_what_a_query_reads_is_asked_and_not_proposed(refund: str, page_of: Callable[[str], Page]) -> None:
    text = markdown(page_of(refund + QUERY))
    page = text.partition("## What may be looked up")[2].partition("\n## ")[0]
    assert "the order's *total* is at least the *least* that is asked with" in page
    assert "whoever asks is not the person on whose behalf it is asked" in page
    assert "propose" not in page
