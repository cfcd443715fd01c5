"""What a page says of properties, modes and releases.

The words keep apart what follows from the states and transitions alone, and so was shown once and for all when the
spec was compiled, from what rests on values, and so is only tested at each decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.machine import LeadsTo, NeverReached, Signal
from edca.semantic.notation_clauses import window_text
from edca.semantic.render.clauses import announced
from edca.semantic.render.page import Bullets, Entry, Grid, Paragraphs, Row, Section
from edca.semantic.render.phrase import articled, code, listed, name, plain, quote, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Machine, Trigger
    from edca.semantic.checked import CheckedNever, CheckedSpec
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.render.prose import Prose

_TESTED = (
    "This rests on values, so it is not proved: it is tested at each decision, on what would come about with the "
    "values read for it. What would make it true, or leave it unknown, is refused. Values that change afterwards, "
    "outside, are not seen before the next decision."
)
_SHOWN = (
    "This was shown when the specification was compiled, from the states and transitions alone: it holds on every way "
    "from where cases begin, also where effects fail or time out. It says nothing about why a clause lets a transition "
    "pass. A case that the organisation's own records show further on when it is first met begins there."
)
_FORCED = (
    "This was shown when the specification was compiled, from the states and transitions alone: each state on the way "
    "has an exit that only the clock takes, after a time, that tests nothing and that nothing forbidden holds up. A "
    "case waits longer while the clock proposes nothing, while less is allowed, or while it is held for a person."
)
_ASSUMED = (
    "Only that each state on the way has some way there was shown when the specification was compiled. That a case "
    "takes it is assumed: "
)
_SIGNALS = {
    Signal.FAILURES: "effects that failed, were undone, timed out or are unknown",
    Signal.TIMEOUTS: "effects that timed out",
    Signal.DRIFTS: "disagreements of a source with the records or its routes",
    Signal.REFUSALS: "refusals",
    Signal.ESCALATIONS: "escalations",
}


def properties(checked: CheckedSpec, prose: Prose) -> Iterator[Section]:
    """Yield a section for each property, in the order of their codes."""
    sections = {never.code: _never(never, checked, prose) for never in checked.nevers}
    for path in checked.paths:
        match path.property:
            case NeverReached():
                sections[path.property.code] = _never_reached(path.property)
            case LeadsTo():
                sections[path.property.code] = _leads_to(path.property)
            case _:
                assert_never(path.property)
    yield from (sections[called] for called in sorted(sections))


def _property(called: str, text: str, entries: tuple[Entry, ...], basis: Phrase) -> Section:
    said = (Entry("text", quote(text)), *entries, Entry("basis", basis))
    return Section("property", called, say("{} ({})", name(called), code(called)), (Paragraphs(said),))


def _never(never: CheckedNever, checked: CheckedSpec, prose: Prose) -> Section:
    everywhere = len(never.states) == len(checked.words.states)
    where = plain("in any state") if everywhere else say("in {}", listed([name(s) for s in never.states], "or"))
    head = say("Of a case about {}, {}, this may never be true: ", articled(never.about), where)
    return _property(
        never.code, never.text, (announced("condition", head, prose.outline(never.condition)),), plain(_TESTED)
    )


def _never_reached(node: NeverReached) -> Section:
    targets = listed([name(target) for target in node.targets], "or")
    without = listed([code(each) for each in node.without], "or")
    said = say("No case comes to {} unless {} was accepted on its way there.", targets, without)
    return _property(node.code, node.text, (Entry("condition", said),), plain(_SHOWN))


def _leads_to(node: LeadsTo) -> Section:
    sources = listed([name(source) for source in node.sources], "or")
    targets = listed([name(target) for target in node.targets], "or")
    said = say("Every case that is in {} comes to {} in the end.", sources, targets)
    basis = plain(_FORCED) if node.assuming is None else say(f"{_ASSUMED}{{}}", quote(node.assuming))
    return _property(node.code, node.text, (Entry("condition", said),), basis)


def modes(machine: Machine) -> Iterator[Section]:
    """Yield a section for each mode, in the order of their names."""
    for mode in machine.modes:
        left = listed([code(each) for each in mode.allow])
        said = (
            Entry("text", quote(mode.text)),
            Entry("allow", say("While it lasts, nothing but {} may be proposed; all else is refused.", left)),
        )
        enter = tuple(_changes("enter", "It begins", mode.enter, mode.enter_by))
        leave = tuple(_changes("leave", "It ends", mode.leave, mode.leave_by))
        blocks = (Paragraphs(said), Bullets((*enter, *leave)))
        yield Section("mode", mode.name, say("{} ({})", name(mode.name), code(mode.name)), blocks)


def _changes(word: str, head: str, triggers: tuple[Trigger, ...], roles: tuple[str, ...]) -> Iterator[Entry]:
    for index, trigger in enumerate(triggers, start=1):
        many = "more than" if trigger.exceeds else "at most"
        what = f"once there are {many} {trigger.count} {_SIGNALS[trigger.signal]} {window_text(trigger.window)}"
        yield Entry(f"{word} {index}", plain(f"{head} {what}."))
    if roles:
        yield Entry(f"{word} by", say(f"{head} when {{}} says so.", listed([articled(role) for role in roles], "or")))


def releases(machine: Machine) -> Iterator[Section]:
    """Yield what may go out although it is labelled."""
    rows = []
    for release in machine.releases:
        what = name(release.name)
        if release.owner is not None and release.owner in machine.index.entities:
            what = say("{} of {}", what, articled(release.owner))
        elif release.owner is not None:
            what = say("the proposed {} of {}", what, name(release.owner))
        to = listed([name(each) for each in release.to])
        rows.append(
            Row(f"{release.owner or ''}.{release.name} {' '.join(release.to)}", (what, to, quote(release.text)))
        )
    if rows:
        headings = (plain("what"), plain("goes to"), plain("why"))
        yield Section("releases", "", (), (Grid(headings, tuple(rows)),))
