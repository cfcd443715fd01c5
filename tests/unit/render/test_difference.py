"""Goal: a difference names every declaration that changed, with the sentences, and nothing else."""

from collections.abc import Callable

import pytest

from edca.semantic.compile import Compiled
from edca.semantic.render.difference import Change, Difference, difference_page, differences
from edca.semantic.render.markdown import markdown
from edca.semantic.render.page import Page
from edca.semantic.render.phrase import text_of

Pages = Callable[[str], Page]


def _changed(pages: Pages, text: str, was: str, now: str) -> dict[tuple[str, str], Difference]:
    assert was in text
    found = differences(pages(text), pages(text.replace(was, now)))
    return {(one.kind, one.name): one for one in found if one.kind != "machine"}


def test_equal_specs_say_the_same(refund: str, page_of: Pages) -> None:
    commented = "# a comment\n" + refund.replace("\n\n", "\n\n# another\n\n")
    assert differences(page_of(refund), page_of(commented)) == ()
    assert "No sentence differs" in markdown(difference_page(page_of(refund), page_of(commented)))


@pytest.mark.parametrize(
    ("was", "now", "kind", "name", "sentence"),
    [
        ("amount > 0 ", "amount > 1.00 ", "transition", "approve_refund", "is more than 1.00"),
        ("The amount must", "It must", "transition", "approve_refund", "It must be more than zero."),
        (
            "else refuse over_total",
            "else escalate supervisor over_total",
            "transition",
            "pay",
            "escalated to a supervisor",
        ),
        ("by      supervisor\n", "by      supervisor, assistant\n", "transition", "pay", "assistant or a supervisor"),
        ("set promised = amount", "set promised = 0.00", "transition", "approve_refund", "promised to 0.00"),
        ("l.sku == p.sku and l.returnable", "l.sku == p.sku", "rule", "returnable", "is the sku of p."),
        ("gold,    any   => 1000.00", "gold,    any   => 900.00", "table", "limit_for", "gives: 900.00"),
        ("We owe the customer", "We owe them", "states", "", "We owe them the promised amount."),
        ("fresh 5 minutes", "fresh 6 minutes", "case", "", "more than 6 minutes before"),
        ("{ promised: money = 0.00 }", "{ promised: money = 1.00 }", "memory", "", "in a new case: 1.00"),
        ("frozen       : bool secret", "frozen       : bool", "entity", "order", "frozen; what it is: true or false"),
        ("count: int(1 to 20)", "count: int(1 to 9)", "kinds of values", "", "from 1 to 9"),
        (
            "undo   recall_money(order, promised)",
            "undo   recall_money(order, 0.00)",
            "transition",
            "pay",
            "amount: 0.00",
        ),
    ],
)
def test_what_changed_is_named(
    refund: str, page_of: Pages, was: str, now: str, kind: str, name: str, sentence: str
) -> None:
    difference = _changed(page_of, refund, was, now)[kind, name]
    assert difference.change is Change.CHANGED
    said = [text_of(one.now) for one in difference.sentences if one.now is not None]
    assert any(sentence in text for text in said), said


@pytest.mark.parametrize("name", ["refund", "permits"])
def test_whatever_changes_the_digest_changes_a_sentence(
    name: str, request: pytest.FixtureRequest, page_of: Pages, compiled: Callable[[str], Compiled]
) -> None:
    """Every quoted text of the spec, changed one at a time."""
    text = str(request.getfixturevalue(name)).partition('scenario "')[0]
    machine, page = compiled(text).machine, page_of(text)
    assert machine is not None
    starts = [index for index, letter in enumerate(text) if letter == '"' and text[index + 1 : index + 2].isupper()]
    for start in starts:
        changed = f"{text[: start + 1]}Yes: {text[start + 1 :]}"
        other = compiled(changed).machine
        assert other is not None and other.digest != machine.digest
        found = [one for one in differences(page, page_of(changed)) if one.kind != "machine"]
        assert found or start < text.index("role "), changed[start : start + 60]


def test_declarations_come_and_go(refund: str, page_of: Pages) -> None:
    gone = 'forbid frozen    "The account is under investigation."  when order.frozen\n'
    removed = _changed(page_of, refund, gone, "")
    assert removed["prohibition", "frozen"].change is Change.REMOVED
    text = refund.replace(gone, "")
    found = {(one.kind, one.name): one for one in differences(page_of(text), page_of(refund))}
    assert found["prohibition", "frozen"].change is Change.ADDED


def test_an_order_that_means_something_is_told(refund: str, page_of: Pages) -> None:
    lines = [line for line in refund.splitlines() if "not_positive" in line or "not_delivered" in line]
    swapped = refund.replace("\n".join(lines[:2]), "\n".join(reversed(lines[:2])))
    assert swapped != refund
    found = {(one.kind, one.name): one for one in differences(page_of(refund), page_of(swapped))}
    assert found["transition", "approve_refund"].change is Change.MOVED
    assert "another order" in markdown(difference_page(page_of(refund), page_of(swapped)))
