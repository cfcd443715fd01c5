"""What a page says of transitions and their clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import duration_text
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.types import BoolType
from edca.semantic import typed, walk
from edca.semantic.render.page import Bullets, Entry, Grid, Paragraphs, Row, Section
from edca.semantic.render.phrase import articled, capital, code, joined, listed, name, plain, quote, say
from edca.semantic.render.wording import kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.semantic.checked import CheckedAct, CheckedCall, CheckedClause, CheckedSpec, CheckedTransition
    from edca.semantic.render.page import Block
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.render.prose import Outline, Prose


def transition(node: CheckedTransition, checked: CheckedSpec, prose: Prose) -> Section:
    """Return everything that is compiled of a transition."""
    blocks: list[Block] = [Paragraphs(_frame(node, prose))]
    if node.parameters:
        rows = (Row(f"argument {p.name}", (name(p.name), kind(p.type))) for p in node.parameters)
        blocks.append(Grid((plain("The proposer says"), plain("which is")), tuple(rows)))
    if node.lets:
        blocks.append(Bullets(tuple(_let(called, value, prose) for called, value in node.lets), "In what follows:"))
    shared = [forbid.clause.code for forbid in checked.forbids if forbid.about == node.about and not node.creates]
    if shared:
        codes = listed([code(each) for each in shared])
        blocks.append(Paragraphs((Entry("shared", say("What is forbidden everywhere is forbidden here: {}.", codes)),)))
    if node.clauses:
        lets = dict(node.lets)
        said = tuple(clause(each, lets, prose) for each in node.clauses)
        blocks.append(Bullets(said, "It is decided by these clauses:", numbered=True))
    if node.assignments:
        blocks.append(Paragraphs(_consequences(node, prose)))
    if node.acts:
        acts = tuple(_act(index, act, checked, prose) for index, act in enumerate(node.acts, start=1))
        blocks.append(Bullets(acts, "If it is accepted, this is done, in this order:", numbered=True))
        blocks.append(Paragraphs((_failure(node),)))
    return Section("transition", node.name, say("{} ({})", name(node.name), code(node.name)), tuple(blocks))


def _frame(node: CheckedTransition, prose: Prose) -> tuple[Entry, ...]:
    if node.creates:
        about = say("It begins a new case, about {}.", articled(node.about))
    else:
        keys = [part.name for part in prose.entities[node.about].key]
        pairs = (
            say("{} is the proposed {}", name(key), name(given)) for key, given in zip(keys, node.key, strict=True)
        )
        about = say("The case is about the {} whose {}.", name(node.about), joined(" and whose ", pairs))
    sources = listed([name(source) for source in node.sources], "or")
    return (
        Entry("means", quote(node.text)),
        Entry("moves", say("It moves a case from {} to {}.", sources, name(node.target))),
        Entry(
            "by",
            say(
                "It may be proposed by {}. {} answers for it.",
                listed([articled(role) for role in node.by], "or"),
                capital(articled(node.answers)),
            ),
        ),
        Entry("about", about),
    )


def _let(called: str, value: typed.Expression, prose: Prose) -> Entry:
    return defined(f"let {called}", name(called), value, prose)


def defined(key: str, what: Phrase, value: typed.Expression, prose: Prose) -> Entry:
    """Return what a name stands for: a condition, or a value."""
    if isinstance(value.type, BoolType):
        return _announced(key, say("{} means: ", what), prose.outline(value))
    return Entry(key, say("{} is {}.", what, prose.thing(value)))


def clause(node: CheckedClause, lets: Mapping[str, typed.Expression], prose: Prose) -> Entry:
    """Return a clause: its code, its condition, and what happens when it fails. `lets` are those it can read."""
    key, called = f"clause {node.code}", code(node.code)
    then: list[Phrase] = []
    match node.kind:
        case ClauseKind.REQUIRE:
            entry = _announced(key, say("{} requires: ", called), prose.outline(node.condition))
            then.append(say("Otherwise {}: {}", _fate(node), quote(node.text)))
        case ClauseKind.FORBID:
            entry = _announced(
                key, say("{} forbids it where this is true or unknown: ", called), prose.outline(node.condition)
            )
            then.append(say("Then {}: {}", _fate(node), quote(node.text)))
        case ClauseKind.CONFIRM:
            entry = _confirmation(key, node, prose)
            then.append(say("They are told: {}", quote(node.text)))
        case _:
            assert_never(node.kind)
    if walk.reads_withheld(node.condition, prose.definitions, lets):
        then.append(plain("A model is told of it only that this is not possible."))
    return Entry(key, entry.text, entry.parts, tuple(then))


def _fate(node: CheckedClause) -> Phrase:
    match node.on_fail:
        case OnFail.REFUSE:
            return plain("it is refused")
        case OnFail.ESCALATE:
            return say("it is escalated to {}", articled(node.role or ""))
        case _:
            assert_never(node.on_fail)


def _confirmation(key: str, node: CheckedClause, prose: Prose) -> Entry:
    age = "" if node.within_us is None else f" no older than {duration_text(node.within_us)}"
    asks = say(f"{{}} asks {{}}, other than the proposer, for a yes{age}", code(node.code), articled(node.role or ""))
    if isinstance(node.condition, typed.Literal) and node.condition.value is True:
        return Entry(key, say("{}. Without an answer it is escalated; with a no it is refused.", asks))
    asked = _announced(key, say("{}, unless this is false: ", asks), prose.outline(node.condition))
    waits = plain("Without an answer it is escalated; with a no it is refused.")
    return Entry(key, asked.text, asked.parts, (waits,))


def _announced(key: str, head: Phrase, found: Outline) -> Entry:
    if found.parts:
        return Entry(key, say("{}{}:", head, found.text), found.parts)
    return Entry(key, say("{}{}.", head, found.text))


def _consequences(node: CheckedTransition, prose: Prose) -> tuple[Entry, ...]:
    return tuple(
        Entry(f"set {field}", say("It sets the case's {} to {}.", name(field), prose.thing(value)))
        for field, value in node.assignments
    )


def _act(index: int, act: CheckedAct, checked: CheckedSpec, prose: Prose) -> Entry:
    def call(node: CheckedCall) -> Phrase:
        parameters = [parameter.name for parameter in checked.words.effects[node.effect].parameters]
        return prose.call(node.effect, parameters, node.arguments)

    done = prose.outline(act.ensure)
    head = say("{}. It is done once this can be read back: {}", call(act.call), done.text)
    undo = plain("It can't be undone.") if act.undo is None else say("It is undone by {}.", call(act.undo))
    return Entry(f"act {index}", say("{}:" if done.parts else "{}.", head), done.parts, (undo,))


def _failure(node: CheckedTransition) -> Entry:
    if node.creates:
        goes = plain("there is no case")  # whatever `on failed` says: nothing has come into being that could go there
    elif node.on_failed is None:
        goes = plain("the case stays where it was")
    else:
        goes = say("the case goes to {}", name(node.on_failed))
    return Entry(
        "failure",
        say(
            "If one of them is not done, or can't be read back, all that was done is undone, newest first, and {}. "
            "Where that can't be done, or nobody can tell what was done, the case is held until a person has looked.",
            goes,
        ),
    )
