"""How `edca test` reports what scenarios show: a table for people, rows for tools."""

from collections.abc import Sequence

from edca.cli.output import line, table
from edca.semantic.coverage import Coverage, Goal, Part
from edca.semantic.generate import Generated


def write_coverage(shown: Coverage) -> None:
    """Write a row for each transition, and one for each condition and answer of its clauses."""
    goals = {**dict.fromkeys(shown.excluded, "can't be")}
    goals |= {goal: "missing" if title is None else "shown" for goal, title in shown.shown.items()}
    transitions = dict.fromkeys(goal.transition for goal in shown.shown)

    def cells(transition: str, code: str, part: Part, outcomes: Sequence[str]) -> list[str]:
        return [goals[Goal(transition, code, part, outcome)] for outcome in outcomes]

    line()
    table(
        ("transition", "accepted", "refused"),
        [(name, *cells(name, "", Part.VERDICT, ("accepted", "refused"))) for name in transitions],
    )
    clauses = dict.fromkeys((goal.transition, goal.code, goal.part) for goal in shown.shown if goal.code)
    line()
    table(
        ("transition", "clause", "of its", "true", "false", "unknown"),
        [
            (name, code, part.value, *cells(name, code, part, ("true", "false", "unknown")))
            for name, code, part in clauses
        ],
    )
    line(f"coverage: {shown.percent} % ({shown.shown_count} of {len(shown.shown)} outcomes shown)")


def coverage_rows(shown: Coverage) -> dict[str, object]:
    """Return the coverage for a JSON document."""
    return {
        "excluded": [_row(goal) for goal in shown.excluded],
        "outcomes": [_row(goal) | {"shown_by": title} for goal, title in shown.shown.items()],
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
    return {"clause": goal.code, "outcome": goal.outcome, "part": goal.part.value, "transition": goal.transition}


def described(goal: Goal) -> str:
    """Return a goal in words."""
    match goal.part:
        case Part.VERDICT:
            return f"{goal.transition} {goal.outcome}"
        case Part.CONDITION:
            return f"{goal.transition}, {goal.code} {goal.outcome}"
        case Part.ANSWER:
            words = {"true": "answered yes", "false": "answered no", "unknown": "not answered"}
            return f"{goal.transition}, {goal.code} {words[goal.outcome]}"
