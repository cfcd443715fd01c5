"""A machine in words, as the ledger keeps it: states, transitions and queries with their clauses, and all the rest."""

from collections.abc import Iterator

from edca.kernel.calendar import duration_text
from edca.kernel.machine import (
    Clause,
    ClauseKind,
    LeadsTo,
    Machine,
    Mode,
    Never,
    NeverReached,
    OnFail,
    Property,
    Query,
    State,
    Transition,
    Trigger,
)
from edca.semantic.notation_clauses import condition_notation, guard_notation, window_notation, window_text


def machine_lines(machine: Machine) -> list[str]:
    """Return a machine as lines of text."""
    fresh = "" if machine.fresh_us is None else f"; facts older than {duration_text(machine.fresh_us)} are unknown"
    lines = [machine.text] if machine.text else []
    lines.append(f"cases are about {machine.case_about}, found by {', '.join(machine.case_key)}{fresh}")
    lines.append("roles: " + ", ".join(f"{role.name} ({role.kind.value})" for role in machine.roles))
    for composite in machine.composites:
        inner = [each.name for each in machine.composites if each.within == composite.name]
        inner += [each.name for each in machine.states if each.within == composite.name]
        lines.append(f"state {composite.name}, which stands for {', '.join(inner)}: {composite.text}")
    lines += [_state(state) for state in machine.states]
    for transition in machine.transitions:
        lines += _transition(machine, transition)
    for query in machine.queries:
        lines += _query(query)
    for mode in machine.modes:
        lines += _mode(mode)
    lines += [f"{property_line(machine, item)}: {item.text}" for item in machine.properties]
    for release in machine.releases:
        what = release.name if release.owner is None else f"{release.owner}.{release.name}"
        lines.append(f"release {what} to {', '.join(release.to)}: {release.text}")
    return lines


def _state(state: State) -> str:
    notes = ["initial"] if state.initial_about is not None else []
    notes += [f"final, a {'success' if state.success else 'failure'}"] if state.final else []
    notes += [] if state.within is None else [f"within {state.within}"]
    noted = f" ({', '.join(notes)})" if notes else ""
    return f"state {state.name}{noted}: {state.text}"


def _transition(machine: Machine, transition: Transition) -> Iterator[str]:
    parameters = ", ".join(parameter.name for parameter in transition.parameters)
    moves = f"{', '.join(transition.sources)} → {transition.target}"
    yield f"transition {transition.name}({parameters}), {moves}: {transition.text}"
    if transition.guard is not None:
        yield f"  {guard_notation(machine, transition)}, priority {transition.priority}"
    if transition.after_us is not None:
        yield f"  after {duration_text(transition.after_us)} in the state"
    if transition.unblockable:
        yield "  held up by nothing that is forbidden everywhere"
    yield f"  proposed by {', '.join(transition.by)}; {transition.answers} answers"
    for clause in transition.clauses:
        yield f"  {clause.code} [{_demand(clause)}]: {clause.text}"
    for assignment in transition.assignments:
        yield f"  sets {assignment.name}"
    for act in transition.acts:
        undone = "which can't be undone" if act.undo is None else f"undone by {act.undo.effect}"
        yield f"  effect {act.call.effect}, {undone}"
    if transition.on_failed is not None:
        yield f"  → {transition.on_failed.target}, if its effects fail: {transition.on_failed.text}"
    if transition.on_timeout is not None:
        late = transition.on_timeout
        yield f"  → {late.target}, if one has no outcome after {duration_text(late.within_us)}: {late.text}"


def _query(query: Query) -> Iterator[str]:
    parameters = ", ".join(parameter.name for parameter in query.parameters)
    about = "" if query.about is None else f", about {query.about}"
    yield f"query {query.name}({parameters}){about}: {query.text}"
    yield f"  asked by {', '.join(query.by)}"
    for clause in query.clauses:
        yield f"  {clause.code} [{_demand(clause)}]: {clause.text}"
    yield f"  returns {', '.join(one.name for one in query.returns)}"


def _demand(clause: Clause) -> str:
    within = "" if clause.within_us is None else f" within {duration_text(clause.within_us)}"
    match clause.kind:
        case ClauseKind.CONFIRM:
            return f"to be confirmed by {clause.role}{within}"
        case ClauseKind.SIGN:
            return f"to be signed by {clause.count} of {clause.role}{within}"
        case ClauseKind.LIMIT:
            return "limited" if clause.limit is None else f"limited {window_text(clause.limit.window)}"
        case ClauseKind.FORBID | ClauseKind.REQUIRE:
            word = "forbidden" if clause.kind is ClauseKind.FORBID else "required"
            otherwise = f"{clause.role} is asked" if clause.on_fail is OnFail.ESCALATE else "refused"
            return f"{word}, else {otherwise}"


def _mode(mode: Mode) -> Iterator[str]:
    yield f"mode {mode.name}: {mode.text}"
    yield f"  allows {', '.join(mode.allow)}"
    for word, triggers, roles in (("begins", mode.enter, mode.enter_by), ("ends", mode.leave, mode.leave_by)):
        for trigger in triggers:
            yield f"  {word} when {_trigger(trigger)}"
        if roles:
            yield f"  {word} by {', '.join(roles)}"


def _trigger(trigger: Trigger) -> str:
    sign = ">" if trigger.exceeds else "<="
    return f"{trigger.signal.value} {sign} {trigger.count} {window_notation(trigger.window)}"


def property_line(machine: Machine, item: Property) -> str:
    """Return a property without its text, in the notation of the language."""
    match item:
        case Never():
            when = condition_notation(machine, item.about, item.condition)
            return f"never {item.code} while {', '.join(item.states)} when {when}"
        case NeverReached():
            return f"never {item.code} reaching {', '.join(item.targets)} without {', '.join(item.without)}"
        case LeadsTo():
            assuming = "" if item.assuming is None else f" assuming “{item.assuming}”"
            return f"always {item.code} {', '.join(item.sources)} leads to {', '.join(item.targets)}{assuming}"
