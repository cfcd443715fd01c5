"""Goal: branches of one name share a limit's counter, so that nobody gets around it by choosing the branch."""

from edca.diagnostics import Source, concise
from edca.semantic.compile import compile_spec
from edca.semantic.scenario import run_scenarios

SPEC = """edca 1
machine till version "1"
role clerk human
type money = decimal(2, 0.00 to 1000.00)
entity drawer key (drawer_id: id) { open: bool }
case about drawer by drawer_id
state ready initial "Ready."
state shut final "Shut." success
transition take.little(drawer_id: id, amount: money) from ready to ready when amount <= 50.00 {
  means "Take a little." by clerk answers clerk
  require drawer.open else refuse closed "It is closed."
  limit daily sum(amount) to 60.00 per utc day "Enough for today."
}
transition take.much(drawer_id: id, amount: money) from ready to ready when amount > 50.00 {
  means "Take much." by clerk answers clerk
  require drawer.open else refuse closed "It is closed."
  limit daily sum(amount) to 60.00 per utc day "Enough for today."
}
transition close(drawer_id: id) from ready to shut { means "Close." by clerk answers clerk }
scenario "a little, then much" {
  given ready
  given drawer("d1") { open = true }
  when clerk "ann" proposes take(drawer_id: "d1", amount: 50.00)
  then accepted
  when clerk "ann" proposes take(drawer_id: "d1", amount: 50.01)
  then refused daily
  when clerk "ann" proposes take(drawer_id: "d1", amount: 10.00)
  then accepted
}
"""


def test_branches_share_the_counter_of_a_code() -> None:
    compiled = compile_spec(Source("till.edca", SPEC))
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None, concise(
        compiled.diagnostics
    )
    results, found = run_scenarios(compiled.spec, compiled.checked, compiled.machine)
    assert not found
    assert [(result.passed, result.detail) for result in results] == [(True, ())]
