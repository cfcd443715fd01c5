"""A small spec whose coverage can be told by hand, and short ways to run it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edca.diagnostics import Source, concise
from edca.dsl.parse import parse
from edca.kernel.machine import Machine
from edca.semantic.checked import CheckedSpec
from edca.semantic.compile import compile_spec
from edca.semantic.coverage import Coverage, measure
from edca.semantic.generate import Generated, generate
from edca.semantic.scenario import ScenarioResult, run, scenarios_of

SPECS = Path(__file__).resolve().parents[3] / "specs"

PARCEL = """edca 1

machine parcel version "1.0.0" "A parcel waits at the desk."

role bot   model
role clerk human
role guest human

enum kind { letter | box | pallet }
type money = decimal(2, 0.00 to 1000.00)
entity parcel key (parcel_id: id) {
  owner: principal guest fixed, kind: kind, fee: money, stored: time, note: bool optional
}
claim reason: text(100) by guest "Why somebody else comes for it."

case about parcel by parcel_id

state waiting initial "It waits."
state handed final "It is gone." success

transition hand_over(parcel_id: id, paid: money) from waiting to handed {
  means   "Hand it over."
  by      bot, clerk
  answers clerk

  forbid not_theirs "It is for somebody else." when parcel.owner != subject and reason == ""
  require paid >= parcel.fee else refuse unpaid "The fee is not paid."
  require parcel.kind in [letter, box] else escalate clerk too_heavy "Pallets need a clerk."
  require now - parcel.stored <= 7 days else refuse sent_back "It was sent back."
  confirm signed by guest when paid > 10.00 "The guest signs."
}
"""

HANDED = """
scenario "handed over" {
  given now = 2026-01-05T00:00:00Z
  given subject = "gil"
  given parcel("p1") { owner = "gil", kind = box, fee = 2.00, stored = 2026-01-01T00:00:00Z }
  given reason = ""
  when bot proposes hand_over(parcel_id: "p1", paid: 2.00)
  then accepted to handed
}
"""


@dataclass(frozen=True)
class Ran:
    """A spec, what its scenarios came to, and what they show."""

    checked: CheckedSpec
    machine: Machine
    results: tuple[ScenarioResult, ...]
    coverage: Coverage

    def generate(self) -> Generated:
        """What is missing."""
        return generate(self.checked, self.machine, self.results, self.coverage)

    def again(self, text: str) -> tuple[ScenarioResult, ...]:
        """More scenarios, run."""
        head = f'edca 1\nmachine {self.machine.name} version "{self.machine.version}"\n'
        parsed = parse(Source("more.edca", head + text))
        assert parsed.spec is not None and not parsed.diagnostics, concise(parsed.diagnostics)
        results, wrong = run(scenarios_of(parsed.spec), self.checked, self.machine)
        assert not wrong, concise(wrong)
        return results

    def shown(self) -> set[tuple[str, str, str]]:
        """The goals shown, as (code, part, outcome)."""
        return {
            (goal.code, goal.part.value, goal.outcome)
            for goal, title in self.coverage.shown.items()
            if title is not None
        }


def ran(text: str) -> Ran:
    """Compile and run a text."""
    compiled = compile_spec(Source("text.edca", text))
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None
    results, wrong = run(scenarios_of(compiled.spec), compiled.checked, compiled.machine)
    assert not wrong, concise(wrong)
    coverage = measure(compiled.checked, compiled.machine, results)
    return Ran(compiled.checked, compiled.machine, results, coverage)


@cache
def parcel() -> Ran:
    """The small spec without a scenario."""
    return ran(PARCEL)


@cache
def handed() -> Ran:
    """The small spec with one accepted scenario."""
    return ran(PARCEL + HANDED)
