"""Goal: what the reference of the language says is so: its examples, its lists, and its truth tables."""

import re

import pages
import pytest

from edca.diagnostics import Source, human
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.expression import Conjunction, Constant, Disjunction, Expression, Negation, ReadClaim
from edca.kernel.values import Unknown
from edca.kernel.verdict import Stage
from edca.semantic.compile import compile_spec
from edca.semantic.scenario import run_scenarios

PAGE = (pages.DOCS / "reference" / "language.md").read_text("utf-8")
SECTIONS = pages.sections(PAGE)
SPEC, *EXAMPLES = [block for block in pages.blocks(PAGE) if block.language == "edca" and "file" not in block.options]
READ = pages.reader(PAGE)  # what the examples import
REFUSALS = pages.sections((pages.DOCS / "how-to" / "read-a-refusal.md").read_text("utf-8"))
FRAME = Frame(arguments={}, memory={}, claims={}, inputs={}, facts={})
TRUTHS: dict[str, Expression] = {"true": Constant(True), "false": Constant(False), "unknown": ReadClaim("nobody's")}


@pytest.mark.parametrize("example", [SPEC, *EXAMPLES], ids=lambda block: f"line-{block.line}")
def test_an_example_earns_the_codes_beside_its_lines(example: pages.Block) -> None:
    text = pages.completed(SPEC.text, example)
    compiled = compile_spec(Source("refund.edca", text), READ)
    lines = text.splitlines()
    marked = {(number, code) for number, line in enumerate(lines) for code in re.findall(r"# ([A-Z][0-9]{3})$", line)}
    diagnostics = pages.of_whole(example, compiled.diagnostics)
    found = {(one.primary.span.line - 1, one.code.id) for one in diagnostics}
    assert found == marked, human(compiled.diagnostics)
    if compiled.machine is not None and compiled.spec is not None and compiled.checked is not None:
        results, wrong = run_scenarios(compiled.spec, compiled.checked, compiled.machine)
        assert wrong == () and all(result.passed for result in results)


def test_the_truth_tables_are_those_of_the_kernel() -> None:
    rows = [[cell.strip(" *`") for cell in row.split("|")[1:-1]] for row in SECTIONS["5. Unknown"].splitlines()]
    connectives: dict[str, type[Conjunction | Disjunction]] = {"and": Conjunction, "or": Disjunction}
    checked = 0
    heading: list[str] = []
    for row in rows:
        if row and row[0] in (*connectives, "x"):
            heading = row
        elif heading and row and row[0] in (*TRUTHS, "not x"):
            for name, expected in zip(heading[1:], row[1:], strict=True):
                kind, other = connectives.get(heading[0]), TRUTHS[name]
                computed: Expression = Negation(other) if kind is None else kind((TRUTHS[row[0]], other))
                assert truth(computed) == expected, (heading[0], row[0], name)
                checked += 1
    assert checked == 9 + 9 + 3


def truth(expression: Expression) -> str:
    value = closure_of(expression)(FRAME)
    return "unknown" if isinstance(value, Unknown) else str(value).lower()


def first_column(section: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_stages_are_all_there_and_in_order() -> None:
    stages = [stage.value for stage in Stage]
    listed = re.search(r"11\.2 .*?: *(.*?)\(\[what", SECTIONS["11. The decision"], re.DOTALL)
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == stages
    assert first_column(REFUSALS["A code of an early stage"]) == stages


def test_the_reasons_are_all_there() -> None:
    reasons = {reason.value for reason in Unknown}
    assert reasons == set(re.findall(r"^\| `(\w+_\w+)` \|", SECTIONS["5. Unknown"], re.MULTILINE))
    assert reasons == set(first_column(REFUSALS["Why a value is unknown"]))
