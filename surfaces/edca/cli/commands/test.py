"""`edca test`: the scenarios of a spec, run against its own machine."""

from typing import Final

import typer

from edca.cli.loading import load_policy, stop_on_errors
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document, line, table
from edca.semantic.scenario import run_scenarios

app: Final = command_app()


@app.command(epilog=examples("edca test specs/refund/refund.edca", "edca test specs/refund/refund.edca --json"))
def test(spec: Spec, error_format: DiagnosticFormat = ErrorFormat.HUMAN, as_json: AsJSON = False) -> None:
    """Run the scenarios of a spec.

    A scenario says what is given, what is proposed, and what the verdict must be. Nothing is recorded, and no effect
    happens.
    """
    policy = load_policy(spec, error_format)
    results, wrong = run_scenarios(policy.tree, policy.checked, policy.machine)
    stop_on_errors(wrong, error_format)
    failed_count = sum(not result.passed for result in results)
    if as_json:
        rows = [
            {"detail": list(one.detail), "line": one.span.line, "passed": one.passed, "title": one.title}
            for one in results
        ]
        document({"ok": not failed_count, "scenarios": rows})
    else:
        table(
            ("scenario", "line", "result"),
            [(one.title, str(one.span.line), "passed" if one.passed else "failed") for one in results],
        )
        for one in results:
            for text in one.detail:
                line(f"{spec.as_posix()}:{one.span.line}: {text}")
        line(f"{len(results) - failed_count} of {len(results)} scenarios passed")
    if failed_count:
        raise typer.Exit(FINDINGS)
