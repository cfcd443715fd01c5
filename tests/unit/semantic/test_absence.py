"""What is absent stays absent when its number is brought to another scale; only what needs a value makes it unknown."""

from __future__ import annotations

from edca.diagnostics.source import Source
from edca.semantic.compile import compile_spec
from edca.semantic.scenario import run_scenarios

SPEC = """edca 1
machine m version "1"
role person human
entity thing key (thing_id: id) { size: int(0 to 3), due: decimal(2, 0.00 to 9.00) optional }
case about thing by thing_id
memory { kept: decimal(2, 0.00 to 9.00) optional = 1.00 }
state open initial "Open."
state closed final "Closed." success
transition close(thing_id: id, o: int(0 to 3) optional) from open to closed {
  means "Close."
  by person
  answers person
  require thing.size >= 1 else refuse small "Too small."
  require (if thing.size >= 2 then o else thing.due) is absent else refuse given_one "There is one."
  set kept = o
}
scenario "absent" {
  given thing("t") { size = 2, due = 1.00 }
  when person proposes close(thing_id: "t")
  then accepted to closed
}
scenario "present, in smaller units" {
  given thing("t") { size = 2, due = 1.00 }
  when person proposes close(thing_id: "t", o: 3)
  then refused given_one
}
"""


def test_an_absent_optional_stays_absent_at_another_scale() -> None:
    compiled = compile_spec(Source("m.edca", SPEC))
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None
    results, _ = run_scenarios(compiled.spec, compiled.checked, compiled.machine)
    assert [result.passed for result in results] == [True, True], results
