"""Goal: every kind of expression reads as the sentence that it means, and no two as the same one."""

from collections.abc import Callable
from itertools import product

import pytest

from edca.kernel.expression import Comparison, Fold, Input, Operation
from edca.kernel.types import BoolType, IntType, ListType, RecordType, ReferenceType
from edca.semantic import typed
from edca.semantic.compile import Compiled
from edca.semantic.render.phrase import Style, text_of
from edca.semantic.render.prose import Prose

SPEC = """edca 1
machine words version "1"
role clerk human
role bot model
enum status {{ placed | sent }}
record pick {{ sku: id, count: int(1 to 20) }}
type money = decimal(2, 0.00 to 1000.00)
entity order key (order_id: id) {{
  owner: principal clerk, status: status, total: money, sent_at: time optional, due_on: date, gone: bool, note: text(9),
  lines: list(9) of line
}}
entity line key (sku: id) {{ price: money, order: order }}
claim reason: text(40) by clerk "Why."
case about order by order_id
memory {{ kept: money = 0.00 }}
state open initial "Open."
state shut final "Shut." success
define dear(l: line) = l.price > 9.00
define twice(a: money) = 2 * a
define costly = order.total > 500.00
table rate(s: status, gone: bool) gives money {{
  | placed, any => 1.00
  | sent, true => 2.00
  | sent, false => 3.00
}}
transition close(order_id: id, amount: money, picks: list(5) of pick) from open to shut
{{
  means "Close it."
  by clerk, bot
  answers clerk
  let half = amount - 1.00
  require {condition} else refuse tested "No."
}}
"""

SENTENCES = {
    "amount > 0": "the proposed amount is more than 0",
    "amount + order.total <= 5.00": "the proposed amount plus the order's total is at most 5.00",
    "amount - (order.total - 1.00) == 5.00": "the proposed amount minus (the order's total minus 1.00) equals 5.00",
    "amount + 2 * order.total != 5.00": "the proposed amount plus (2 times the order's total) differs from 5.00",
    "half < kept": "half is less than the case's kept",
    "amount >= -(order.total)": "the proposed amount is at least 0.00 minus the order's total",
    "order.status == sent": "the order's status is sent",
    "not (order.status == sent)": "the order's status is not sent",
    "order.status in [placed, sent]": "the order's status is placed or sent",
    "order.status not in [placed, sent]": "the order's status is neither placed nor sent",
    "order_id in collect(l.sku for l in order.lines)": (
        "the proposed order id is one of (a list with the sku of l for every l in the order's lines)"
    ),
    "order.gone": "the order's gone is true",
    "not order.gone": "the order's gone is false",
    "order.gone == false": "the order's gone is false",
    "order.gone == (amount > 0)": "the order's gone is the same as (whether the proposed amount is more than 0)",
    "order.sent_at is present": "the order's sent at is present",
    "order.sent_at is absent": "the order's sent at is absent",
    "now - order.sent_at <= 30 days": (
        "the time from the order's sent at to the time of the decision is at most 30 days"
    ),
    "now < order.sent_at + 3 hours": "the time of the decision is before the order's sent at plus 3 hours",
    "order.due_on >= 2026-03-01 + 2 days": "the order's due on is not before 2026-03-01 plus 2 days",
    "order.due_on - 2026-03-01 == 1 days": "the time from 2026-03-01 to the order's due on equals 1 day",
    "order.owner == subject": "the order's owner is the person on whose behalf it is proposed",
    "order.owner != proposer": "the order's owner is not the proposer",
    "confidence >= 0.85": "the confidence that the proposer states is at least 0.85",
    'reason != ""': "the attested reason is not empty",
    'order.note == "x"': "the order's note is “x”",
    "order.gone and (costly or amount > 0)": (
        "the order's gone is true and (costly holds or the proposed amount is more than 0)"
    ),
    "not (order.gone and costly)": "it is false that (the order's gone is true and costly holds)",
    "not costly": "costly is false",
    "every l in order.lines satisfies dear(l) and l.order == order": (
        "for every l in the order's lines, dear holds for l and the order of l is the order"
    ),
    "(some l in order.lines satisfies dear(l)) and order.gone": (
        "(for at least one l in the order's lines, dear holds for l) and the order's gone is true"
    ),
    "count(order.lines) == 2": "the number of the order's lines equals 2",
    "count(l in order.lines where dear(l)) == 2": (
        "(the number of l in the order's lines for which dear holds for l) equals 2"
    ),
    "sum(l.price for l in order.lines) + 1.00 > twice(amount)": (
        "(the sum of the price of l over every l in the order's lines) plus 1.00 is more than "
        "twice given the proposed amount"
    ),
    "max(l.price for l in order.lines where not dear(l)) > min(amount, 5.00)": (
        "(the greatest the price of l over every l in the order's lines for which dear is false for l) is more than "
        "(the least of the proposed amount and 5.00)"
    ),
    "first(order.lines).price == last(order.lines).price": (
        "the price of the first element of the order's lines equals the price of the last element of the order's lines"
    ),
    "count(distinct(collect(l.sku for l in order.lines))) == 1": (
        "the number of the different ones of (a list with the sku of l for every l in the order's lines) equals 1"
    ),
    "every p in pairs(picks) satisfies p.first.count <= p.second.count": (
        "for every p in the neighbouring pairs of the proposed picks, the count of the first of p is at most "
        "the count of the second of p"
    ),
    "every z in zip(picks, order.lines) satisfies z.first.sku == z.second.sku": (
        "for every z in (the proposed picks side by side with the order's lines), the sku of the first of z is "
        "the sku of the second of z"
    ),
    "lookup line(order_id).price > 1.00": ("the price of the line with (sku: the proposed order id) is more than 1.00"),
    "(if order.gone then amount else 5.00) > 1.00": (
        "(the proposed amount if the order's gone is true, and otherwise 5.00) is more than 1.00"
    ),
    "if order.gone then costly else amount > 0": (
        "if the order's gone is true, then costly holds, and otherwise the proposed amount is more than 0"
    ),
    "rate(order.status, costly) < amount": (
        "rate given (s: the order's status; gone: whether costly holds) is less than the proposed amount"
    ),
}


def _condition(found: Compiled) -> typed.Expression:
    assert found.checked is not None
    return found.checked.transitions[0].clauses[0].condition


@pytest.mark.parametrize("condition", SENTENCES)
def test_a_condition_reads_as_it_is_meant(condition: str, compiled: Callable[[str], Compiled]) -> None:
    found = compiled(SPEC.format(condition=condition))
    assert found.checked is not None
    prose = Prose(found.checked.words.entities, found.checked.definitions)
    assert text_of(prose.holds(_condition(found))) == SENTENCES[condition]


def test_names_are_set_apart_from_our_own_words(compiled: Callable[[str], Compiled]) -> None:
    found = compiled(SPEC.format(condition="order.sent_at is present"))
    assert found.checked is not None
    phrase = Prose(found.checked.words.entities, found.checked.definitions).holds(_condition(found))
    assert [piece.text for piece in phrase if piece.style is Style.NAME] == ["sent at"]


def test_a_long_condition_is_broken_into_its_parts(compiled: Callable[[str], Compiled]) -> None:
    condition = "order.gone and costly and (order.status == sent or order.total > 9.00 or amount + order.total > kept)"
    found = compiled(SPEC.format(condition=condition))
    assert found.checked is not None
    outline = Prose(found.checked.words.entities, found.checked.definitions).outline(_condition(found))
    assert text_of(outline.text) == "all of these hold"
    assert [text_of(part.text) for part in outline.parts[:2]] == ["the order's gone is true", "costly holds"]


# --- no two readings ---

BOOL, INT = BoolType(), IntType(0, 9)
ORDER = typed.InputRead(Input.CASE, ReferenceType("order"))
XS = typed.ArgumentRead("xs", ListType(0, 9, INT))


def _conditions(depth: int) -> list[typed.Expression]:
    facts: list[typed.Expression] = [typed.FactRead(ORDER, "order", name, None, False, BOOL) for name in ("a", "b")]
    if depth == 0:
        return facts
    inner = _conditions(depth - 1)
    numbers = _numbers(depth - 1)
    found = list(facts)
    for every in (True, False):
        found += [
            typed.Connective(every, pair, BOOL)
            for pair in product(inner, inner)
            # The compiler keeps a chain of one connective flat.
            if not any(isinstance(side, typed.Connective) and side.every is every for side in pair)
        ]
        fold = Fold.EVERY if every else Fold.SOME
        found += [typed.Folded(fold, "x", XS, None, body, BOOL) for body in inner]
    found += [
        typed.Not(one, BOOL) for one in inner if not isinstance(one, (typed.Not, typed.Comparing))
    ]  # said otherwise
    found += [typed.Comparing(Comparison.LESS, *pair, BOOL) for pair in product(numbers, numbers)]
    found += [typed.Conditional(inner[0], *pair, BOOL) for pair in product(inner, inner)]
    return found


def _numbers(depth: int) -> list[typed.Expression]:
    facts: list[typed.Expression] = [typed.FactRead(ORDER, "order", name, None, False, INT) for name in ("m", "n")]
    if depth == 0:
        return facts
    inner, conditions = _numbers(depth - 1), _conditions(depth - 1)
    found = list(facts)
    found += [typed.Arithmetic(operation, *pair, INT) for operation in Operation for pair in product(inner, inner)]
    for fold in (Fold.SUM, Fold.MIN, Fold.MAX):
        found += [typed.Folded(fold, "x", XS, None, body, INT) for body in inner]
    found += [typed.Folded(Fold.COUNT, "x", XS, one, None, INT) for one in conditions]
    found += [typed.Conditional(one, *inner[:2], INT) for one in conditions]
    return found


def test_no_two_expressions_read_alike() -> None:
    prose = Prose({}, {})
    numbers = _numbers(2)
    found = [text_of(prose.thing(one)) for one in numbers] + [text_of(prose.holds(one)) for one in _conditions(2)]
    # Nested deeper, by a seam of every kind between a sentence and what stands beside it.
    outer = [typed.Comparing(Comparison.GREATER, one, numbers[0], BOOL) for one in numbers]
    found += [text_of(prose.holds(typed.Connective(True, (one, one), BOOL))) for one in outer]
    assert len(found) > 2_000
    assert len(found) == len(set(found)), [text for text in set(found) if found.count(text) > 1]


def test_a_record_names_its_parts() -> None:
    pick = RecordType("pick", (("sku", INT), ("count", INT)))
    made = typed.Listed((typed.Literal(1, INT), typed.Literal(2, INT)), pick)
    assert text_of(Prose({}, {}).thing(made)) == "a pick with (sku: 1; count: 2)"
    empty = typed.Listed((), ListType(0, 1, INT))
    assert text_of(Prose({}, {}).thing(empty)) == "an empty list"
