"""How `edca test` reports what scenarios show: tables for people, rows for tools."""

import dataclasses
from dataclasses import dataclass
from typing import Final

from edca.cli.loading import Policy
from edca.cli.output import line, table
from edca.semantic.coverage import Coverage, Goal, Part
from edca.semantic.coverage_needs import needs
from edca.semantic.generate import Generated

_NEEDS_MAX: Final = 20
_TRUTHS: Final = ("true", "false", "unknown")


@dataclass(frozen=True, slots=True)
class _Section:
    """One table: which parts stand in it, what its rows are named by, and a column for each outcome."""

    headings: tuple[str, ...]
    parts: tuple[Part, ...]
    outcomes: tuple[str, ...]

    def names(self, goal: Goal) -> tuple[str, ...]:
        """Return what the row of a goal is named by."""
        by = {
            "transition": goal.transition,
            "effects of": goal.transition,
            "query": goal.query,
            "clause": goal.code,
            "mode": goal.code,
            "never": goal.code,
            "of its": goal.part.value,
        }
        return tuple(by[heading] for heading in self.headings)

    def holds(self, goal: Goal) -> bool:
        """Tell whether the goal has its place in this table."""
        return goal.part in self.parts and bool(goal.query) is ("query" in self.headings)


_SECTIONS: Final = (
    _Section(("transition",), (Part.VERDICT,), ("accepted", "refused")),
    _Section(("transition", "of its"), (Part.GUARD, Part.AFTER), _TRUTHS),
    _Section(("transition", "clause", "of its"), (Part.CONDITION, Part.ANSWER, Part.COUNT), _TRUTHS),
    _Section(("transition", "clause"), (Part.WAIVER,), ("waived",)),
    _Section(("effects of",), (Part.EDGE,), ("failed", "timeout")),
    _Section(("mode",), (Part.MODE,), ("allowed", "refused")),
    _Section(("never",), (Part.PROPERTY,), _TRUTHS),
    _Section(("query",), (Part.VERDICT,), ("returned", "refused")),
    _Section(("query", "clause"), (Part.CONDITION,), _TRUTHS),
)


def write_coverage(shown: Coverage, policy: Policy) -> None:
    """Write what is shown of transitions, queries, modes and properties, and what the rest would need."""
    said = dict.fromkeys(shown.excluded, "can't be")
    said |= {goal: "missing" if title is None else "shown" for goal, title in shown.shown.items()}
    for section in _SECTIONS:
        rows = {section.names(goal): goal for goal in shown.shown if section.holds(goal)}
        if rows:
            line()
            table(
                (*section.headings, *section.outcomes),
                [
                    (*names, *(said.get(dataclasses.replace(goal, outcome=word), "") for word in section.outcomes))
                    for names, goal in rows.items()
                ],
            )
    missing = shown.missing
    for goal in missing[:_NEEDS_MAX]:
        line(f"missing: {described(goal)}: {needs(policy.checked, policy.machine, goal)}")
    if len(missing) > _NEEDS_MAX:
        line(f"missing: {len(missing) - _NEEDS_MAX} more, all of them with --json")
    line(f"coverage: {shown.percent} % ({shown.shown_count} of {len(shown.shown)} outcomes shown)")


def coverage_rows(shown: Coverage, policy: Policy) -> dict[str, object]:
    """Return the coverage for a JSON document."""
    missing = set(shown.missing)

    def needed(goal: Goal) -> str | None:
        return needs(policy.checked, policy.machine, goal) if goal in missing else None

    return {
        "excluded": [_row(goal) for goal in shown.excluded],
        "outcomes": [_row(goal) | {"needs": needed(goal), "shown_by": title} for goal, title in shown.shown.items()],
        "percent": shown.percent,
        "shown": shown.shown_count,
        "total": len(shown.shown),
    }


def generated_rows(made: Generated) -> dict[str, object]:
    """Return the generated scenarios and what they don't reach, for a JSON document."""
    return {
        "scenarios": [
            {"shows": [_row(goal) for goal in one.goals], "text": one.text, "title": one.title}
            for one in made.scenarios
        ],
        "unreached": [_row(goal) for goal in made.unreached],
    }


def _row(goal: Goal) -> dict[str, object]:
    return {
        "clause": goal.code,
        "outcome": goal.outcome,
        "part": goal.part.value,
        "query": goal.query,
        "transition": goal.transition,
    }


def described(goal: Goal) -> str:
    """Return a goal in words."""
    match goal.part:
        case Part.VERDICT:
            return f"{goal.of} {goal.outcome}"
        case Part.GUARD:
            return f"{goal.transition}, its guard {goal.outcome}"
        case Part.AFTER:
            return f"{goal.transition}, {'late' if goal.outcome == 'true' else 'not late'} enough for its `after`"
        case Part.CONDITION:
            return f"{goal.of}, {goal.code} {goal.outcome}"
        case Part.ANSWER:
            words = {"true": "answered yes", "false": "answered no", "unknown": "not answered"}
            return f"{goal.transition}, {goal.code} {words[goal.outcome]}"
        case Part.WAIVER:
            return f"{goal.transition}, {goal.code} waived"
        case Part.COUNT:
            words = {"true": "within its bound", "false": "over its bound", "unknown": "unknown"}
            return f"{goal.transition}, {goal.code} {words[goal.outcome]}"
        case Part.EDGE:
            return f"{goal.transition}, an effect {'failed' if goal.outcome == 'failed' else 'timed out'}"
        case Part.MODE:
            return f"mode {goal.code}, a candidate {goal.outcome}"
        case Part.PROPERTY:
            words = {"true": "violated", "false": "kept", "unknown": "unknown"}
            return f"never {goal.code}, {words[goal.outcome]}"
