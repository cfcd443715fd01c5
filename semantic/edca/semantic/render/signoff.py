"""The page that a person signs: a whole spec in sentences and tables, in the order of its declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.dsl import tree
from edca.kernel.calendar import duration_text
from edca.kernel.machine import RoleKind, Tier
from edca.kernel.types import EnumType, RecordType, Type
from edca.semantic import typed
from edca.semantic.render.clauses import clause, defined
from edca.semantic.render.graph import graph_of
from edca.semantic.render.order import in_order
from edca.semantic.render.page import Bullets, Chapter, Diagram, Entry, Grid, Page, Paragraphs, Row, Section
from edca.semantic.render.phrase import articled, code, joined, listed, name, plain, quote, say, strong
from edca.semantic.render.promises import modes, properties, releases
from edca.semantic.render.prose import Prose
from edca.semantic.render.queries import query
from edca.semantic.render.transitions import goes, transition
from edca.semantic.render.wording import cell, kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edca.kernel.machine import Machine, State
    from edca.semantic.checked import CheckedForbid, CheckedSpec
    from edca.semantic.render.phrase import Phrase
    from edca.semantic.typed import Definition

_READING = (
    "Words set apart are names of the specification; what stands in quotation marks is shown to people as it is.",
    "“The proposed …” is what the proposer says, and nothing more. “The attested …” is the word of a person. "
    "“The case's …” is kept with the case. Everything else is read from the organisation's own records when it is "
    "decided.",
    "A condition is true, false or unknown. It is unknown where a value is missing, too old, not attested or not of "
    "its kind. What is required passes only if it is true; what is forbidden passes only if it is false.",
    "All clauses of a transition are looked at. If one fails that refuses, it is refused. Else, if one fails that "
    "escalates, it is escalated: a person has to act first. Else it is accepted. Only then does anything happen.",
    "Every decision is recorded with all that it rests on, refusals too.",
)
_KINDS = {
    RoleKind.MODEL: "a model, which can only propose",
    RoleKind.HUMAN: "a person",
    RoleKind.CLOCK: "the system's own clock",
}


def signoff(checked: CheckedSpec, machine: Machine) -> Page:
    """Return the page of a compiled spec, all of which the digest covers. Both arguments come from one compilation."""
    checked = in_order(checked)
    prose = Prose(checked.words.entities, checked.definitions)
    vocabulary = [*_types(checked), *_entities(checked, machine), *_said(checked, machine, prose)]
    chapters = (
        Chapter("What this is", (_about(machine),)),
        Chapter("How to read it", (_reading(),), comparable=False),
        Chapter("Who takes part", (_roles(checked),)),
        Chapter("What a case goes through", (_case(machine), _states(checked), *_composites(machine))),
        Chapter("What is known", tuple(vocabulary)),
        Chapter("What can be done in the world", tuple(_effects(checked))),
        Chapter("Rules with a name", tuple(_rules(checked, prose))),
        Chapter("What is forbidden everywhere", tuple(_forbids(checked, machine, prose))),
        Chapter("Transitions", tuple(transition(node, checked, machine, prose) for node in checked.transitions)),
        Chapter("What may be looked up", tuple(query(node, checked, machine, prose) for node in checked.queries)),
        Chapter("What must never be, and what must come", tuple(properties(checked, prose))),
        Chapter("When less is allowed", tuple(modes(machine))),
        Chapter("What may be shown although it is confidential", tuple(releases(machine))),
        Chapter("Sign-off", (_signature(machine),), comparable=False),
    )
    return Page(plain(f"{_title(machine.name)}, version {machine.version}"), tuple(c for c in chapters if c.sections))


def _about(machine: Machine) -> Section:
    match machine.tier:
        case Tier.ADVISORY:
            tier = "It is advisory: it changes nothing in the world."
        case Tier.CONSEQUENTIAL:
            tier = "It is consequential: what it accepts may change the world."
        case _:
            assert_never(machine.tier)
    said = [
        *([Entry("text", quote(machine.text))] if machine.text else []),
        Entry("version", say("This is version {} of {}.", machine.version, code(machine.name))),
        Entry("tier", plain(tier)),
        Entry("digest", say("Its identity is the digest {}.", code(machine.digest.hex()))),
    ]
    return Section("machine", "", (), (Paragraphs(tuple(said)),))


def _reading() -> Section:
    said = tuple(Entry(f"reading {index}", plain(text)) for index, text in enumerate(_READING))
    return Section("reading", "", (), (Bullets(said),))


def _signature(machine: Machine) -> Section:
    claim = say(
        "I have read this page, and it says what is to hold. It is about the digest {}.", code(machine.digest.hex())
    )
    blank = Grid((plain("name"), plain("date"), plain("signature")), (Row("signature", ((), (), ())),))
    return Section("signature", "", (), (Paragraphs((Entry("claim", claim),)), blank))


def _roles(checked: CheckedSpec) -> Section:
    rows = []
    for role in checked.words.roles.values():
        proposes = [code(node.name) for node in checked.transitions if role.name in node.by]
        answers = [code(node.name) for node in checked.transitions if role.name == node.answers]
        asks = [code(node.name) for node in checked.queries if role.name in node.by]
        if role.kind is RoleKind.CLOCK and not proposes and not asks:
            continue  # every machine has one; it has no part in this one
        cells = (
            name(role.name),
            plain(_KINDS[role.kind]),
            listed(proposes),
            *((listed(asks),) if checked.queries else ()),
            listed(answers),
            _asked(role.name, checked),
        )
        rows.append(Row(role.name, cells))
    may_ask = ("may look up",) if checked.queries else ()
    headings = ("role", "who that is", "may propose", *may_ask, "answers for", "is asked for")
    return Section("roles", "", (), (Grid(tuple(map(plain, headings)), tuple(rows)),))


def _asked(role: str, checked: CheckedSpec) -> Phrase:
    """Return what only somebody in the role can give: an attested claim, a yes, a decision on what was escalated."""
    claims = [name(claim.name) for claim in checked.words.claims.values() if claim.by == role]
    clauses = [each.code for node in checked.transitions for each in node.clauses if each.role == role]
    return listed([*claims, *map(code, dict.fromkeys(clauses))])


def _case(machine: Machine) -> Section:
    keys = listed([name(key) for key in machine.case_key])
    said = [Entry("about", say("A case is about {}, found by the proposed {}.", articled(machine.case_about), keys))]
    if machine.fresh_us is not None:
        age = duration_text(machine.fresh_us)
        said.append(Entry("fresh", plain(f"What was read more than {age} before the decision counts as unknown.")))
    return Section("case", "", (), (Paragraphs(tuple(said)), Diagram(graph_of(machine))))


def _states(checked: CheckedSpec) -> Section:
    rows = []
    for state in checked.words.states.values():
        leaving = [code(node.name) for node in checked.transitions if state.name in node.sources]
        rows.append(Row(state.name, (name(state.name), quote(state.text), _part(state), listed(leaving))))
    headings = ("state", "what it means", "its part", "what may be proposed")
    return Section("states", "", (), (Grid(tuple(map(plain, headings)), tuple(rows)),))


def _part(state: State) -> Phrase:
    begins = () if state.initial_about is None else say("cases about {} begin here", articled(state.initial_about))
    ends = plain(f"the end, a {'success' if state.success else 'failure'}") if state.final else ()
    within = () if state.within is None else say("within {}", name(state.within))
    return joined("; ", [part for part in (begins, ends, within) if part])


def _composites(machine: Machine) -> Iterator[Section]:
    """Yield what is said of composite states: each holds for all that is within it."""
    rows = []
    for composite in machine.composites:
        inner = [name(each.name) for each in machine.composites if each.within == composite.name]
        inner += [name(each.name) for each in machine.states if each.within == composite.name]
        within = () if composite.within is None else name(composite.within)
        rows.append(Row(composite.name, (name(composite.name), quote(composite.text), listed(inner), within)))
    if rows:
        headings = ("stands for several states", "what holds in all of them", "within it", "within")
        title = plain("States that stand for several")
        yield Section("composites", "", title, (Grid(tuple(map(plain, headings)), tuple(rows)),))


def _types(checked: CheckedSpec) -> Iterator[Section]:
    rows = [
        Row(called, (name(called), _spelled(type_)))
        for called, type_ in checked.words.types.items()
        if called not in checked.words.entities
    ]
    if rows:
        yield Section(
            "kinds of values", "", plain("Kinds of values"), (Grid((plain("name"), plain("what it is")), tuple(rows)),)
        )


def _spelled(type_: Type) -> Phrase:
    match type_:
        case EnumType(_, values):
            names = [say("{} (written {})", name(v), quote(wire)) if wire != v else name(v) for v, wire in values]
            return say("one of {}", listed(names, "or"))
        case RecordType(_, parts):
            return joined("; ", (say("{}: {}", name(part), kind(of)) for part, of in parts))
        case _:
            return kind(type_)


def _entities(checked: CheckedSpec, machine: Machine) -> Iterator[Section]:
    headings = (plain("field"), plain("what it is"), plain("to know"))
    for entity in checked.words.entities.values():
        rows = [Row(part.name, (name(part.name), kind(part.type), plain("part of its key"))) for part in entity.key]
        for field in entity.fields:
            where = goes(machine, entity.name, field.name, field.labels)
            notes = [part for part in (plain("never changes") if field.fixed else (), where) if part]
            rows.append(Row(field.name, (name(field.name), kind(field.type), joined("; ", notes))))
        yield Section("entity", entity.name, plain(_title(entity.name)), (Grid(headings, tuple(rows)),))


def _said(checked: CheckedSpec, machine: Machine, prose: Prose) -> Iterator[Section]:
    claims = []
    for claim in checked.words.claims.values():
        where = goes(machine, None, claim.name, claim.labels)
        cells = (name(claim.name), kind(claim.type), articled(claim.by), quote(claim.text), where)
        claims.append(Row(claim.name, cells))
    if claims:
        headings = ("claim", "what it is", "attested by", "what it means", "to know")
        yield Section("claims", "", plain("Claims"), (_grid(headings, claims),))
    memory = []
    for called, initial in checked.memory.items():
        slot = machine.index.memory[called]
        where = goes(machine, None, called, slot.labels)
        memory.append(Row(called, (name(called), kind(slot.type), prose.thing(initial), where)))
    if memory:
        kept = ("field", "what it is", "in a new case", "to know")
        yield Section("memory", "", plain("What is kept with a case"), (_grid(kept, memory),))


def _grid(headings: Sequence[str], rows: Sequence[Row]) -> Grid:
    """Return a table without its last column where that would be empty."""
    kept = len(headings) if any(row.cells[-1] for row in rows) else len(headings) - 1
    return Grid(tuple(map(plain, headings[:kept])), tuple(Row(row.key, row.cells[:kept]) for row in rows))


def _effects(checked: CheckedSpec) -> Iterator[Section]:
    rows = []
    for effect in checked.words.effects.values():
        given = joined("; ", (say("{}: {}", name(p.name), kind(p.type)) for p in effect.parameters))
        rows.append(Row(effect.name, (name(effect.name), given)))
    if rows:
        yield Section("effects", "", (), (Grid((plain("effect"), plain("what it is given")), tuple(rows)),))


def _rules(checked: CheckedSpec, prose: Prose) -> Iterator[Section]:
    for called, definition in checked.definitions.items():
        if called in checked.tables:
            yield _table(checked.tables[called], definition, prose)
        else:
            yield _define(definition, prose)


def _define(definition: Definition, prose: Prose) -> Section:
    given = [say("{} ({})", name(parameter), kind(type_)) for parameter, type_ in definition.parameters]
    what = say("{} for {}", name(definition.name), listed(given)) if given else name(definition.name)
    title = plain(_title(definition.name))
    return Section("rule", definition.name, title, (Paragraphs((defined("means", what, definition.body, prose),)),))


def _table(cells: tuple[tuple[tree.TableCell | None, ...], ...], definition: Definition, prose: Prose) -> Section:
    results: list[typed.Expression] = []
    rest = definition.body
    for _ in cells[1:]:
        # A table is compiled to one `if` a row, and the last row is what is left.
        if not isinstance(rest, typed.Conditional):
            raise TypeError(f"the table {definition.name} has more rows than it was compiled to")
        results.append(rest.then)
        rest = rest.otherwise
    rows = tuple(
        Row(f"row {joined_text(said)}", (*said, prose.thing(result)))
        for row, result in zip(cells, [*results, rest], strict=True)
        for said in [tuple(map(cell, row))]
    )
    headings = (*(name(parameter) for parameter, _ in definition.parameters), strong("gives"))
    said = [Entry(f"column {p}", say("{} is {}.", name(p), kind(t))) for p, t in definition.parameters]
    gives = Entry("gives", say("It gives {}.", kind(definition.body.type)))
    grid = Grid(headings, rows)
    return Section("table", definition.name, plain(_title(definition.name)), (grid, Paragraphs((*said, gives))))


def joined_text(cells: tuple[Phrase, ...]) -> str:
    """Return a row's cells as the key of the row: no two rows of a table fit the same."""
    return " | ".join("".join(piece.text for piece in phrase) for phrase in cells)


def _forbids(checked: CheckedSpec, machine: Machine, prose: Prose) -> Iterator[Section]:
    withheld = {each.code for node in machine.transitions for each in node.clauses if each.withheld}
    withheld |= {each.code for node in machine.queries for each in node.clauses if each.withheld}
    free = [code(node.name) for node in checked.transitions if node.unblockable]
    for forbid in checked.forbids:
        entry = clause(forbid.clause, prose, withheld=forbid.clause.code in withheld)
        where = say("It is a clause of every transition of cases about {}", articled(forbid.about))
        where = say("{}, except of {}.", where, listed(free)) if free else say("{}.", where)
        said = Entry(entry.key, entry.text, entry.parts, (*entry.then, where, *_of_queries(forbid, checked)))
        yield Section("prohibition", forbid.clause.code, plain(_title(forbid.clause.code)), (Paragraphs((said,)),))


def _of_queries(forbid: CheckedForbid, checked: CheckedSpec) -> Iterator[Phrase]:
    """Yield for which queries a machine-wide forbid holds, if there are any about its entity."""
    about = [node for node in checked.queries if node.about == forbid.about]
    free = [code(node.name) for node in about if node.unblockable]
    if about:
        where = say("It is a clause of every query about {}", articled(forbid.about))
        yield say("{}, except of {}.", where, listed(free)) if free else say("{}.", where)


def _title(called: str) -> str:
    return called.replace("_", " ")
