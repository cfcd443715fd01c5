"""What a page says of queries: what may be looked up, and what each gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edca.semantic.queries import holding
from edca.semantic.render.clauses import clause, defined
from edca.semantic.render.page import Bullets, Entry, Grid, Paragraphs, Row, Section
from edca.semantic.render.phrase import articled, code, joined, listed, name, plain, quote, say
from edca.semantic.render.wording import kind

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.semantic.checked import CheckedQuery, CheckedReturned, CheckedSpec
    from edca.semantic.render.page import Block
    from edca.semantic.render.prose import Prose


def query(node: CheckedQuery, checked: CheckedSpec, machine: Machine, prose: Prose) -> Section:
    """Return everything that is compiled of a query."""
    prose = replace(prose, in_query=True)
    withheld = {each.code for each in machine.index.queries[node.name].clauses if each.withheld}
    blocks: list[Block] = [Paragraphs(_frame(node, checked, prose))]
    if node.parameters:
        rows = (Row(f"argument {p.name}", (name(p.name), kind(p.type))) for p in node.parameters)
        blocks.append(Grid((plain("Who asks says"), plain("which is")), tuple(rows)))
    if node.lets:
        lets = tuple(defined(f"let {called}", name(called), value, prose) for called, value in node.lets)
        blocks.append(Bullets(lets, "In what follows:"))
    if node.clauses:
        said = tuple(clause(each, prose, withheld=each.code in withheld) for each in node.clauses)
        blocks.append(Bullets(said, "It is answered only if these clauses hold:", numbered=True))
    given = tuple(_returned(one, prose) for one in node.returns)
    blocks.append(Bullets(given, "It gives these values and nothing else, and none of them if one is unknown:"))
    return Section("query", node.name, say("{} ({})", name(node.name), code(node.name)), tuple(blocks))


def _frame(node: CheckedQuery, checked: CheckedSpec, prose: Prose) -> tuple[Entry, ...]:
    said = [
        Entry("means", quote(node.text)),
        Entry("by", say("It may be asked by {}. It changes nothing.", listed([articled(r) for r in node.by], "or"))),
    ]
    if node.about is not None:
        keys = [part.name for part in prose.entities[node.about].key]
        pairs = (
            say("{} is the {} that is asked with", name(key), name(given))
            for key, given in zip(keys, node.key, strict=True)
        )
        said.append(Entry("about", say("It is about the {} whose {}.", name(node.about), joined(" and whose ", pairs))))
    if node.unblockable:
        said.append(Entry("unblockable", plain("Nothing that is forbidden everywhere holds it up.")))
    shared = [code(each.code) for each in holding(node, checked.forbids)]
    if shared:
        said.append(Entry("shared", say("What is forbidden everywhere is forbidden here: {}.", listed(shared))))
    return tuple(said)


def _returned(one: CheckedReturned, prose: Prose) -> Entry:
    labels = say(", which is {}", " and ".join(one.labels)) if one.labels else ()
    return Entry(f"returns {one.name}", say("{}: {}{}.", name(one.name), prose.thing(one.value), labels))
