"""`edca test`: the scenarios of a spec, run against its own machine, and what they show of it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.coverage import coverage_rows, described, generated_rows, write_coverage
from edca.cli.errors import CLIError, from_os_error
from edca.cli.junit import junit
from edca.cli.loading import Policy, load_policy, stop_on_errors
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, Spec, command_app, examples
from edca.cli.output import document, line, note, table
from edca.cli.scenario_files import read_scenarios
from edca.semantic.coverage import measure
from edca.semantic.generate import Generated, file_header, generate
from edca.semantic.scenario import ScenarioResult, run, scenarios_of

app: Final = command_app()

_More = Annotated[
    list[Path] | None,
    typer.Option(
        "--scenarios",
        metavar="FILE",
        help="A file of more scenarios for this spec. May be given several times.",
        show_default=False,
    ),
]
_Containing = Annotated[
    str, typer.Option("-k", metavar="TEXT", help="Run only scenarios with TEXT in their title.", show_default=False)
]
_Coverage = Annotated[bool, typer.Option("--coverage", help="Report which outcome of which clause was shown.")]
_FailUnder = Annotated[
    int | None,
    typer.Option(
        "--fail-under",
        metavar="PERCENT",
        min=0,
        max=100,
        help="End with exit code 1 if fewer outcomes are shown.",
        show_default=False,
    ),
]
_JUnit = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML as well.", show_default=False),
]


_Generate = Annotated[
    Path | None,
    typer.Option(
        "--generate",
        metavar="FILE",
        help="Write scenarios for what is missing to a new file; - is stdout.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca test specs/refund/refund.edca",
        "edca test specs/refund/refund.edca --coverage --fail-under 90 --junit refund.xml",
        "edca test specs/refund/refund.edca --generate -",
        "edca test specs/airline/airline.edca --scenarios specs/airline/scenarios/airline.edca -k cancel",
    )
)
def test(
    spec: Spec,
    more: _More = None,
    containing: _Containing = "",
    coverage: _Coverage = False,
    fail_under: _FailUnder = None,
    generate_to: _Generate = None,
    junit_file: _JUnit = None,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Run the scenarios of a spec.

    A scenario says what is given, what is proposed or asked, and what the verdict must be. Nothing is recorded, and no
    effect happens. With --coverage the report says for every clause, of queries too, whether its condition was shown
    true, false and unknown; --generate writes the scenarios that are missing, each of which was run.
    """
    if generate_to is not None and containing:
        raise CLIError("`-k` and `--generate` don't go together", "what a selection leaves out is not missing")
    if generate_to is not None and generate_to.name != "-" and generate_to.exists():
        raise CLIError(f"`{generate_to}` exists already", "name a new file, or `-` for stdout")
    policy = load_policy(spec, error_format)
    scenarios = list(scenarios_of(policy.tree, containing))
    for path in more or ():
        scenarios += read_scenarios(path, policy, error_format, containing)
    results, wrong = run(scenarios, policy.checked, policy.machine)
    stop_on_errors(wrong, error_format)
    if junit_file is not None:
        _write(junit_file, junit(policy.machine.name, results))
    shown = measure(policy.checked, policy.machine, results)
    enough = fail_under is None or shown.reaches(fail_under)
    ok = enough and all(result.passed for result in results)
    reported = coverage or fail_under is not None
    made = None if generate_to is None else generate(policy.checked, policy.machine, results, shown)
    if as_json:
        whole: dict[str, object] = {"ok": ok, "scenarios": [_result_row(result) for result in results]}
        whole |= {"coverage": coverage_rows(shown, policy)} if reported else {}
        whole |= {} if made is None else {"generated": generated_rows(made)}
        document(whole)
    elif generate_to is None or generate_to.name != "-":  # else stdout is for the scenarios alone
        _write_results(results)
        if reported:
            write_coverage(shown, policy)
        if not enough:
            line(f"coverage is {shown.percent} %, less than {fail_under} %")
    else:
        note(_summary(results))
    if made is not None and generate_to is not None:
        _hand_on(made, policy, generate_to, as_json)
    if not ok:
        raise typer.Exit(FINDINGS)


def _hand_on(made: Generated, policy: Policy, to: Path, as_json: bool) -> None:
    """Write the generated scenarios where they were asked for, and say on stderr what is still missing."""
    texts = [scenario.text for scenario in made.scenarios]
    if to.name != "-":
        _write(to, "\n".join([file_header(policy.machine), *texts]).encode("utf-8"))
    elif not as_json:  # the document has them
        sys.stdout.write("\n".join(texts))
    note(f"{len(made.scenarios)} scenarios written, {len(made.unreached)} outcomes not reached")
    for goal in made.unreached:
        note(f"  not reached: {described(goal)}")


def _result_row(result: ScenarioResult) -> dict[str, object]:
    return {
        "detail": list(result.detail),
        "file": result.span.source.name,
        "line": result.span.line,
        "passed": result.passed,
        "title": result.title,
    }


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise from_os_error(error, path) from error


def _write_results(results: Sequence[ScenarioResult]) -> None:
    table(
        ("scenario", "line", "result"),
        [(one.title, str(one.span.line), "passed" if one.passed else "failed") for one in results],
    )
    for one in results:
        for place, text in enumerate(one.detail):
            line(f"{one.place.source.name}:{one.place.line}: {text}" if place == 0 else f"  {text}")
    line(_summary(results))


def _summary(results: Sequence[ScenarioResult]) -> str:
    return f"{sum(result.passed for result in results)} of {len(results)} scenarios passed"
