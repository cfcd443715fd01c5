"""Files of scenarios beside a spec: the header says for which machine, and nothing but scenarios follows.

A spec with many scenarios is easier to read when they stand in files of their own.
"""

from pathlib import Path

from edca.cli.errors import CLIError
from edca.cli.loading import Policy, read_source, stop_on_errors
from edca.cli.options import ErrorFormat
from edca.dsl.parse import parse
from edca.dsl.tree import ScenarioDeclaration
from edca.semantic.generate import file_header
from edca.semantic.scenario import scenarios_of


def read_scenarios(
    path: Path, policy: Policy, format_: ErrorFormat, containing: str
) -> tuple[ScenarioDeclaration, ...]:
    """Return a file's scenarios whose title has `containing` in it; its diagnostics end the command with exit code 1.

    Raises `CLIError` where the file is for another machine, or declares anything besides scenarios.
    """
    parsed = parse(read_source(path))
    stop_on_errors(parsed.diagnostics, format_)
    spec, machine = parsed.spec, policy.machine
    if spec is None:
        raise CLIError(f"`{path}` can't be read, and the parser does not say why", "please report this as a bug")
    if spec.header.version is None:
        raise CLIError(f"`{path}` is a vocabulary, not a file of scenarios", "scenarios stand beside a machine's line")
    name, version = spec.header.name.text, spec.header.version.value
    if (name, version) != (machine.name, machine.version):
        message = f"`{path}` is for {name} {version}, and the spec is {machine.name} {machine.version}"
        hint = f"begin it with `{file_header(machine).splitlines()[-1]}`, if it is meant for this spec"
        raise CLIError(message, hint)
    other = next((item for item in spec.declarations if not isinstance(item, ScenarioDeclaration)), None)
    if other is not None:
        raise CLIError(f"`{path}` declares more than scenarios: see line {other.span.line}", "move it into the spec")
    return scenarios_of(spec, containing)
