"""What a page says of transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.calendar import duration_text
from edca.kernel.machine import RoleKind
from edca.semantic.render.clauses import announced, clause, defined
from edca.semantic.render.page import Bullets, Entry, Grid, Paragraphs, Row, Section
from edca.semantic.render.phrase import articled, capital, code, joined, listed, name, plain, quote, say
from edca.semantic.render.wording import kind

if TYPE_CHECKING:
    from edca.kernel.machine import Machine, Parameter
    from edca.semantic import typed
    from edca.semantic.checked import CheckedAct, CheckedCall, CheckedSpec, CheckedTransition
    from edca.semantic.render.page import Block
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.render.prose import Prose


def transition(node: CheckedTransition, checked: CheckedSpec, machine: Machine, prose: Prose) -> Section:
    """Return everything that is compiled of a transition."""
    withheld = {each.code for each in machine.index.transitions[node.name].clauses if each.withheld}
    blocks: list[Block] = [Paragraphs((*_frame(node, machine, prose), *_branch(node, machine, prose), *_timing(node)))]
    if node.parameters:
        rows = (Row(f"argument {p.name}", (name(p.name), labelled(node.offered, p, machine))) for p in node.parameters)
        blocks.append(Grid((plain("The proposer says"), plain("which is")), tuple(rows)))
    if node.lets:
        blocks.append(Bullets(tuple(_let(called, value, prose) for called, value in node.lets), "In what follows:"))
    shared = _shared(node, checked)
    if shared:
        blocks.append(Paragraphs((Entry("shared", shared),)))
    if node.clauses:
        said = tuple(clause(each, prose, withheld=each.code in withheld) for each in node.clauses)
        blocks.append(Bullets(said, "It is decided by these clauses:", numbered=True))
    if node.assignments:
        blocks.append(Paragraphs(_consequences(node, prose)))
    if node.acts:
        acts = tuple(_act(index, act, checked, prose) for index, act in enumerate(node.acts, start=1))
        blocks.append(Bullets(acts, "If it is accepted, this is done, in this order:", numbered=True))
        blocks.append(Paragraphs(_failures(node)))
    return Section("transition", node.name, say("{} ({})", _called(node), code(node.name)), tuple(blocks))


def _called(node: CheckedTransition) -> Phrase:
    """Return a transition's name in words: a branch's behind what all of them are called."""
    branch = node.name.removeprefix(node.offered).removeprefix(".")
    return say("{}, {}", name(node.offered), name(branch)) if branch else name(node.offered)


def labelled(transition: str, parameter: Parameter, machine: Machine) -> Phrase:
    """Return the kind of a transition's argument, and where it may go if it is labelled."""
    where = goes(machine, transition, parameter.name, parameter.labels)
    return say("{}; {}", kind(parameter.type), where) if where else kind(parameter.type)


def goes(machine: Machine, owner: str | None, called: str, labels: tuple[str, ...]) -> Phrase:
    """Return where a labelled value may go; nothing for one without a label."""
    if not labels:
        return ()
    to = {
        receiver: None
        for release in machine.releases
        if release.owner == owner and release.name == called
        for receiver in release.to
    }
    if not to:
        return plain(f"{' and '.join(labels)}: never shown to a model")
    return say("{}: goes to {} and nobody else", " and ".join(labels), listed([name(each) for each in sorted(to)]))


def _branch(node: CheckedTransition, machine: Machine, prose: Prose) -> tuple[Entry, ...]:
    """Return which of its branches a transition is: nothing where it is the only one."""
    if node.name == node.offered:
        return ()
    order = [code(branch.name) for branch in machine.index.offered[node.offered]]
    said = [
        Entry(
            "offered",
            say(
                "Whoever proposes it says {}. That is one of {}, tried in this order; the first whose condition is "
                "true is taken, and none where one before it is unknown.",
                code(node.offered),
                listed(order, "or"),
            ),
        )
    ]
    if node.guard is None:
        return (*said, Entry("guard", plain("It has no condition: it is taken if it is reached.")))
    return (*said, announced("guard", plain("It is taken where this is true: "), prose.outline(node.guard)))


def _timing(node: CheckedTransition) -> tuple[Entry, ...]:
    said = []
    if node.after_us is not None:
        wait = duration_text(node.after_us)
        said.append(
            Entry(
                "after", plain(f"Whoever proposes it, it is refused until the case has been in its state for {wait}.")
            )
        )
    if node.unblockable:
        said.append(Entry("unblockable", plain("Nothing that is forbidden everywhere holds it up.")))
    return tuple(said)


def _shared(node: CheckedTransition, checked: CheckedSpec) -> Phrase:
    """Return which of what is forbidden everywhere holds here."""
    if node.creates or node.unblockable:
        return ()
    codes = [code(forbid.clause.code) for forbid in checked.forbids if forbid.about == node.about]
    return say("What is forbidden everywhere is forbidden here: {}.", listed(codes)) if codes else ()


def _frame(node: CheckedTransition, machine: Machine, prose: Prose) -> tuple[Entry, ...]:
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
                listed([_who(role, machine) for role in node.by], "or"),
                capital(_who(node.answers, machine)),
            ),
        ),
        Entry("about", about),
    )


def _who(role: str, machine: Machine) -> Phrase:
    is_clock = machine.index.roles[role].kind is RoleKind.CLOCK
    return say("the {}", name(role)) if is_clock else articled(role)


def _let(called: str, value: typed.Expression, prose: Prose) -> Entry:
    return defined(f"let {called}", name(called), value, prose)


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


def _failures(node: CheckedTransition) -> tuple[Entry, ...]:
    """Return what becomes of the case when an effect isn't done."""
    undone = "all that was done is undone, newest first"
    held = "Where that can't be done, or nobody can tell what was done, the case is held until a person has looked."
    head = "If one of them is not done, or can't be read back, "
    if node.creates:
        # Nothing has come into being that could go anywhere.
        said = [Entry("failure", plain(f"{head}{undone}, and there is no case. {held}"))]
    elif node.on_failed is None:
        said = [Entry("failure", plain(f"{head}{undone}, and the case stays where it was. {held}"))]
    else:
        goes_to = say(
            f"{head}{undone}, and the case goes to {{}}: {{}}", name(node.on_failed.target), quote(node.on_failed.text)
        )
        said = [Entry("failure", goes_to, (), (plain(held),))]
    late = node.on_timeout
    if late is not None:
        wait = duration_text(late.within_us)
        text = say(
            f"If one has no outcome after {wait}, the case goes to {{}}: {{}}", name(late.target), quote(late.text)
        )
        said.append(Entry("timeout", text))
    return tuple(said)
