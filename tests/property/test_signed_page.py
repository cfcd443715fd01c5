"""Goal: the digest covers what people sign. Whatever changes the page changes the digest, and nothing else does.

`EDCA_EXAMPLES` sets how many specs are tried.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation import mutate
from spec_writer import chance, generated

from edca.diagnostics import Source
from edca.semantic.compile import compile_spec
from edca.semantic.render.markdown import markdown
from edca.semantic.render.signoff import signoff

if TYPE_CHECKING:
    from edca.kernel.machine import Machine

EXAMPLES = int(os.environ.get("EDCA_EXAMPLES", "40"))
SEEDS = st.integers(0, 2**48)
MUTANTS = 8  # of each spec; most don't compile

SPEC = """edca 1 machine m version "1"
role person human
role agent model
enum hue { red | green }
type money = decimal(2, 0.00 to 100.00)
record pick { sku: id, count: int(1 to 20) }
entity thing key (thing_id: id) { cost: money, whole: bool, seen: time optional }
effect send(to: thing, amount: money)
case about thing by thing_id
memory { paid: money = 0.00, hue_kept: hue = red }
state open initial "Open."
state shut "Shut."
state closed final "Closed." success
define cheap(price: money) = price < 10.00
define dear = not cheap(thing.cost)
table step(of: money, tint: hue) gives int(0 to 9) {
  | 0 to 9.99,      any   => 1
  | 10.00 to 20.00, red   => 2
  | 10.00 to 20.00, green => 3
  | 20.01 to 100,   any   => 4
}
transition shut_it(thing_id: id) from open to shut {
  means "Shut." by person, agent answers person
  let whole_and_dear = thing.whole and dear
  require whole_and_dear or step(thing.cost, red) > 1 else refuse r "R."
  set paid = thing.cost
  set hue_kept = green
}
transition close(thing_id: id, picks: list(9) of pick) from shut, open to closed {
  means "Close." by person answers person
  require every p in picks satisfies p.count > 1 else refuse r "R."
  require thing.cost <= 50 else escalate person much "M."
}
never lost "L." while shut when paid > 50.00
"""
# What people read: each change alone changes the page, and so the digest.
READ = [
    ("cheap", "costly"),
    ("(price: money) = price", "(amount: money) = amount"),
    ("price: money", "price: decimal(2, 0.00 to 101.00)"),
    ("money", "sum_of_money"),
    ("hue", "tint_of"),
    ("pick {", "choice {", "list(9) of pick", "list(9) of choice"),
    ("p in picks satisfies p.count", "one in picks satisfies one.count"),
    ("whole_and_dear", "fine"),
    ("<= 50 else", "<= 50.00 else"),
    ("0 to 9.99,  ", "0.00 to 9.99,  "),
    ("not cheap(thing.cost)", "not (thing.cost < 10.00)"),
    ("step", "stage"),
    ("whole_and_dear or", "(thing.whole and dear) or"),
    ("L.", "M."),
    ("0.00, hue", "1.00, hue"),
]
# What nobody reads.
UNREAD = [
    ("role person human\nrole agent model", "role agent model\nrole person human"),
    ("person, agent", "agent, person"),
    ("shut, open", "open, shut"),
    ("  set paid = thing.cost\n  set hue_kept = green", "  set hue_kept = green set paid = thing.cost"),
    ("cost: money, whole: bool", "whole: bool, cost: money"),
    ("paid: money = 0.00, hue_kept: hue = red", "hue_kept: hue = red, paid: money = 0.00"),
    ("=> 1", "=> 1 # the first"),
    ("0 to 9.99,  ", "0   to # or so\n 9.99,"),
    ("(thing.cost)\n", "((thing.cost))\n"),
]


def compiled(text: str) -> tuple[str, Machine] | None:
    """Return the page without its digest, and the machine; null where the text doesn't compile."""
    found = compile_spec(Source("spec", text))
    if found.machine is None or found.checked is None:
        return None
    page = markdown(signoff(found.checked, found.machine))
    return page.replace(found.machine.digest.hex(), "DIGEST"), found.machine


def agree(one: tuple[str, Machine], other: tuple[str, Machine]) -> None:
    """See that two pages are alike where two digests are, and the other way round but for `unread`."""
    (page, machine), (other_page, other_machine) = one, other
    if page != other_page:
        assert machine.digest != other_machine.digest
    elif machine.wording == other_machine.wording:
        assert unread(machine) == unread(other_machine)


def unread(machine: Machine) -> Machine:
    """Return the machine without what it holds and no page says: of priorities, a page says only the order."""
    return dataclasses.replace(
        machine, transitions=tuple(dataclasses.replace(item, priority=0) for item in machine.transitions)
    )


@pytest.mark.parametrize("change", READ, ids=lambda change: change[0])
def test_what_people_read_changes_the_digest(change: tuple[str, ...]) -> None:
    text = SPEC
    for old, new in zip(change[::2], change[1::2], strict=True):
        assert old in text
        text = re.sub(rf"(?<![a-z]){re.escape(old)}" if old[0].isalpha() else re.escape(old), new, text)
    one, other = compiled(SPEC), compiled(text)
    assert one is not None and other is not None, text
    assert one[0] != other[0]
    assert one[1].digest != other[1].digest


@pytest.mark.parametrize(("old", "new"), UNREAD)
def test_what_nobody_reads_changes_neither(old: str, new: str) -> None:
    assert old in SPEC
    one, other = compiled(SPEC), compiled(SPEC.replace(old, new))
    assert one is not None and other is not None
    assert one[0] == other[0]
    assert one[1].digest == other[1].digest


@settings(max_examples=EXAMPLES)
@given(SEEDS)
def test_one_digest_has_one_page(seed: int) -> None:
    writer, random = generated(seed, 1), chance(seed)
    text = writer.written.text
    one = compiled(text)
    assert one is not None
    random.shuffle(writer.written.declarations)
    shuffled = compiled(writer.written.text)
    assert shuffled is not None
    assert shuffled[0] == one[0]
    for _ in range(MUTANTS):
        other = compiled(mutate(text, random))
        if other is not None:
            agree(one, other)


def test_a_page_that_says_more_than_the_digest_covers_shows() -> None:
    one, other = compiled(SPEC), compiled(SPEC.replace("cheap", "costly"))
    assert one is not None and other is not None
    unworded = [(page, dataclasses.replace(machine, wording=b"")) for page, machine in (one, other)]
    with pytest.raises(AssertionError):
        agree(*unworded)
