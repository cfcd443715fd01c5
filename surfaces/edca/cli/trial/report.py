"""What a trial says: tables for people, and one document for tools that is the same on every machine."""

from edca.cli.findings import replay_data, verification_data
from edca.cli.output import line, table
from edca.cli.trial.run import FailedClause, Label, Row
from edca.cli.trial.trial import Trial, by_clause, by_label

_VERDICTS = ("accepted", "refused", "escalated")
_LOOKS = ("returned", "refused")
_MEANINGS = {
    Label.A: "changed the world, in a run that ended as its task asks",
    Label.B: "changed the world, in a run that did not",
    Label.C: "of those of B, touches nothing that the task asks for",
    Label.D: "turned down by the recorded tool",
    Label.G: "ground truth",
    Label.R: "only looked something up",
    Label.NONE: "changed nothing",
}


def trial_data(trial: Trial) -> dict[str, object]:
    """Return the whole trial as JSON-ready data, without anything that differs between two runs of it."""
    plan = trial.plan
    return {
        "assume_confirmed": plan.assume_confirmed,
        "follow": plan.follow.value,
        "ledger": {"root": trial.verification.root.hex(), "size": trial.verification.size},
        "machine": {
            "digest": plan.machine.digest.hex(),
            "name": plan.machine.name,
            "version": plan.machine.version,
        },
        "ok": trial.is_clean,
        "problems": list(trial.problems),
        "replay": replay_data(trial.replayed),
        "routes": plan.routes.digest.hex(),
        "rows": [_row_data(row) for row in trial.rows],
        "runs": [
            {
                "as_recorded": run.as_recorded,
                "calls": len(run.rows),
                "equal": run.equal,
                "matched": run.matched,
                "none_held_up": run.none_held_up,
                "outside": run.outside_count,
                "run": run.id,
            }
            for run in trial.runs
        ],
        "summary": _summary(trial),
        "verification": verification_data(trial.verification),
    }


def _row_data(row: Row) -> dict[str, object]:
    return {
        "clauses": [{"code": clause.code, "reason": clause.reason, "text": clause.text} for clause in row.clauses],
        "code": row.code,
        "detail": row.detail,
        "i": row.place,
        "label": row.label.value,
        "mutated": row.mutated,
        "name": row.name,
        "outcome": row.outcome,
        "record": row.record_index,
        "run": row.run,
        "verdict": row.verdict,
    }


def _summary(trial: Trial) -> dict[str, object]:
    rows, runs = trial.rows, trial.runs
    submitted = [row for row in rows if row.label is not Label.R]
    return {
        "by_clause": [
            {"code": code, "count": count, "transition": name} for (name, code), count in by_clause(rows).items()
        ],
        "by_label": {
            label.value: {verdict: counts.get(verdict, 0) for verdict in (_LOOKS if label is Label.R else _VERDICTS)}
            for label, counts in by_label(rows).items()
        },
        "by_verdict": {verdict: sum(row.verdict == verdict for row in submitted) for verdict in _VERDICTS},
        "calls": len(submitted),
        "reads": len(rows) - len(submitted),
        "outside": sum(run.outside_count for run in runs),
        "runs": len(runs),
        "runs_equal": sum(run.equal for run in runs),
        "runs_none_held_up": sum(run.none_held_up for run in runs),
        "runs_none_held_up_and_equal": sum(run.none_held_up and run.equal for run in runs),
        "runs_none_held_up_matched_and_unequal": [
            run.id for run in runs if run.none_held_up and run.matched and not run.equal
        ],
    }


def write_report(trial: Trial, elapsed_s: float) -> None:
    """Write the trial as tables."""
    table(
        ("run", "call", "transition", "label", "verdict", "code", "outcome", "clauses"),
        [
            (
                row.run,
                str(row.place),
                row.name,
                row.label.value,
                row.verdict,
                row.code,
                row.outcome or "",
                "; ".join(_clause_text(clause) for clause in row.clauses) or row.detail,
            )
            for row in trial.rows
        ],
    )
    line()
    table(
        ("label", *_VERDICTS, "returned", "meaning"),
        [
            (label.value, *(str(counts.get(verdict, 0)) for verdict in (*_VERDICTS, "returned")), _MEANINGS[label])
            for label, counts in by_label(trial.rows).items()
        ],
    )
    line()
    table(
        ("transition", "held up by", "calls"),
        [(name, code, str(count)) for (name, code), count in by_clause(trial.rows).items()],
    )
    line()
    table(
        ("run", "calls", "none held up", "final database", "recording"),
        [
            (
                run.id,
                str(len(run.rows)),
                "yes" if run.none_held_up else "no",
                "equal" if run.equal else "unequal",
                "matched" if run.matched else "did not match",
            )
            for run in trial.runs
            if run.rows
        ],
    )
    line()
    _write_end(trial, elapsed_s)


def _clause_text(clause: FailedClause) -> str:
    why = "" if clause.reason is None else f" ({clause.reason})"
    return f"{clause.code}{why}: {clause.text}"


def _write_end(trial: Trial, elapsed_s: float) -> None:
    runs, verification, replayed = trial.runs, trial.verification, trial.replayed
    for problem in trial.problems:
        line(f"problem: {problem}")
    outside = sum(run.outside_count for run in runs)
    free = [run for run in runs if run.none_held_up]
    reads = sum(row.label is Label.R for row in trial.rows)
    submitted = len(trial.rows) - reads
    line(f"calls: {submitted} submitted, {reads} asked, {outside} outside (thoughts, calculations, other reads)")
    line(f"final databases: {sum(run.equal for run in runs)} of {len(runs)} equal the ground truth's")
    line(f"runs where nothing was held up: {len(free)}, of which {sum(run.equal for run in free)} equal")
    line(f"ledger: {verification.size} records, root {verification.root.hex()}")
    line(f"verification: {'nothing was found' if verification.is_sound else f'{len(verification.findings)} findings'}")
    line(f"replay: {replayed.equal} of {replayed.total} records equal")
    line(f"time: {elapsed_s:.1f} s")
