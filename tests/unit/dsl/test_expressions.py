"""Goal: an expression is read with the precedence and reach that the language reference states."""

from collections.abc import Callable

import pytest

Read = Callable[[str], str]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a or b and c", "(or a (and b c))"),
        ("a and b or c and d", "(or (and a b) (and c d))"),
        ("a or b or c", "(or (or a b) c)"),
        ("not a and b", "(and (not a) b)"),
        ("not a == b", "(not (== a b))"),
        ("not not a", "(not (not a))"),
        ("(a or b) and c", "(and (or a b) c)"),
        ("a + b == c - d", "(== (+ a b) (- c d))"),
        ("a - b - c", "(- (- a b) c)"),
        ("a + b * c", "(+ a (* b c))"),
        ("-a * b", "(* (- a) b)"),
        ("a - -1", "(- a (- 1))"),
        ("a.b.c + 1.50", "(+ a.b.c 1.50)"),
        ("f(a).b", "f[a].b"),
        ("a in [1, 2]", "(in a ListLiteral([1 2]))"),
        ("a not in b", "(not in a b)"),
        (
            "a < b and b <= c and c > d and d >= e and e != f",
            "(and (and (and (and (< a b) (<= b c)) (> c d)) (>= d e)) (!= e f))",
        ),
        ("a.b is present and c is absent", "(and Presence(a.b, True) Presence(c, False))"),
        ("now - t <= 30 days", "(<= (- now t) 30day)"),
        ("true or false", "(or true false)"),
        ("2024-05-20", "2024-05-20"),
        ("2024-05-15T15:00:00-05:00", "2024-05-15T15:00:00-05:00"),
        ("2024-05-15T15:00:00.25Z", "2024-05-15T15:00:00.25Z"),
        ("[]", "ListLiteral([])"),
        ("f()", "f[]"),
        ("lookup flight(number, date)", "Lookup(flight, [number date])"),
        (r'"a \"b\" \\ \n"', '"a "b" \\ \n"'),
    ],
)
def test_precedence(expression: Read, text: str, shape: str) -> None:
    assert expression(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a and every x in xs satisfies b or c", "(and a Quantified(True, x, xs, (or b c)))"),
        ("a or some x in xs satisfies b and c", "(or a Quantified(False, x, xs, (and b c)))"),
        ("a or b and not if c then d else e or f", "(or a (and b (not Conditional(c, d, (or e f)))))"),
        ("(every x in xs satisfies b) or c", "(or Quantified(True, x, xs, b) c)"),
        (
            "every x in a.xs + ys satisfies some y in x satisfies y",
            "Quantified(True, x, (+ a.xs ys), Quantified(False, y, x, y))",
        ),
        ("if a then if b then c else d else e", "Conditional(a, Conditional(b, c, d), e)"),
    ],
)
def test_open_forms_reach_as_far_right_as_they_can(expression: Read, text: str, shape: str) -> None:
    assert expression(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("count(xs)", "count![xs]"),
        ("count(a.xs)", "count![a.xs]"),
        ("count(x in xs)", "Aggregate(count, x, xs, None, None)"),
        ("count(x in xs where x > 1 and b)", "Aggregate(count, x, xs, None, (and (> x 1) b))"),
        ("sum(x.price for x in xs where x.paid)", "Aggregate(sum, x, xs, x.price, x.paid)"),
        ("min(x for x in xs)", "Aggregate(min, x, xs, x, None)"),
        ("collect(if a then b else c for x in xs)", "Aggregate(collect, x, xs, Conditional(a, b, c), None)"),
        ("min(a, b) + max(a, b)", "(+ min![a b] max![a b])"),
        ("sum(xs) - first(xs)", "(- sum![xs] first![xs])"),
        ("zip(xs, pairs(ys))", "zip![xs pairs![ys]]"),
        ("before(a.b) + 1", "(+ before![a.b] 1)"),
    ],
)
def test_functions(expression: Read, text: str, shape: str) -> None:
    assert expression(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("flight.date == date", "(== flight.date date)"),
        ("p.count + count", "(+ p.count count)"),
        ("a.state == b.in", "(== a.state b.in)"),
        ("first.last.days", "first.last.days"),
        ("each > wait", "(> each wait)"),
        ("proposer != proposer of draft", "(!= proposer History(proposer, draft))"),
        ("proposer in signers of twice or signers", "(or (in proposer History(signers, twice)) signers)"),
        ("per + rolling + utc + leads + distinct", "(+ (+ (+ (+ per rolling) utc) leads) distinct)"),
        ("text + time + model + fixed + key + status", "(+ (+ (+ (+ (+ text time) model) fixed) key) status)"),
    ],
)
def test_most_words_are_names_where_nothing_else_can_stand(expression: Read, text: str, shape: str) -> None:
    assert expression(text) == shape
