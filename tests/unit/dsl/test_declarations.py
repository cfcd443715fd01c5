"""Goal: each declaration, clause and scenario part gives the node that the tree's docstrings promise."""

from collections.abc import Callable

import pytest

from edca.diagnostics import Source
from edca.dsl import tree
from edca.dsl.parse import parse

Read = Callable[[str], str]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("bool", "SimpleType(bool)"),
        ("int(-5 to 20)", "IntegerType(-5, 20)"),
        ("int", "IntegerType(None, None)"),
        ("decimal(2, -1.50 to 100)", "DecimalType(2, -1.50, 100)"),
        ("decimal(2)", "DecimalType(2, None, None)"),
        ("decimal", "DecimalType(None, None, None)"),
        ("text(400)", "TextType(400)"),
        ("text", "TextType(None)"),
        ('one of regular | gold "Gold"', 'OneOfType([EnumValue(regular, None) EnumValue(gold, "Gold")])'),
        ("principal customer", "PrincipalType(customer)"),
        ("list(50) of line", "ListType(0, 50, line)"),
        ("list(1 to 50) of one of a | b", "ListType(1, 50, OneOfType([EnumValue(a, None) EnumValue(b, None)]))"),
        ("list of list(2) of id", "ListType(None, None, ListType(0, 2, SimpleType(id)))"),
        ("time optional", "OptionalType(SimpleType(time))"),
        ("list(3) of time optional", "OptionalType(ListType(0, 3, SimpleType(time)))"),
        ("money", "money"),
    ],
)
def test_types(type_of: Read, text: str, shape: str) -> None:
    assert type_of(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("role assistant model", "RoleDeclaration(assistant, model)"),
        (
            'enum status { placed | gone "no longer" }',
            'EnumDeclaration(status, [EnumValue(placed, None) EnumValue(gone, "no longer")])',
        ),
        ("type money = cents", "TypeDeclaration(money, cents)"),
        (
            "record pick { sku: id, count: c, state: s, }",
            "RecordDeclaration(pick, [Member(sku, SimpleType(id), []) Member(count, c, []) Member(state, s, [])])",
        ),
        (
            "entity order key (order_id: id) { total: money fixed secret }",
            "EntityDeclaration(order, [Parameter(order_id, SimpleType(id))], [Member(total, money, [fixed secret])])",
        ),
        ('claim why : text(9) by customer "W."', 'ClaimDeclaration(why, TextType(9), customer, "W.")'),
        ("effect wipe()", "EffectDeclaration(wipe, [])"),
        ("effect pay(order: order)", "EffectDeclaration(pay, [Parameter(order, order)])"),
        ("case about order by order_id", "CaseDeclaration(order, [order_id], None)"),
        ("case about a by b, c fresh 5 minutes", "CaseDeclaration(a, [b c], 5minute)"),
        ("memory { owed: money = 0.00, }", "MemoryDeclaration([MemoryMember(owed, money, 0.00)])"),
        ('state s "T"', 'StateDeclaration(s, False, None, False, False, "T")'),
        ('state s initial about user "T"', 'StateDeclaration(s, True, user, False, False, "T")'),
        ('state s final "T" success', 'StateDeclaration(s, False, None, True, True, "T")'),
        ("define f = 1", "DefineDeclaration(f, [], 1)"),
        ("define f(a: b) = a", "DefineDeclaration(f, [Parameter(a, b)], a)"),
        (
            "table t(a: b, c: d) gives money { | x, any => 1 | 1 to 5, y => -2 }",
            "TableDeclaration(t, [Parameter(a, b) Parameter(c, d)], money,"
            " [TableRow([x None], 1) TableRow([RangeCell(1, 5) y], (- 2))])",
        ),
        ('forbid frozen "T" when order.frozen', 'Forbid(frozen, None, "T", order.frozen)'),
        ('forbid frozen about order "T" when a', 'Forbid(frozen, order, "T", a)'),
        (
            "transition go from a, b to c { }",
            "TransitionDeclaration(go, [], None, [], None, [a b], c, [])",
        ),
        (
            "transition go(x: id) about user by x from a to c { by r }",
            "TransitionDeclaration(go, [Parameter(x, SimpleType(id))], user, [x], None, [a], c, [By([r])])",
        ),
        (
            "transition go() creates user from a to c { }",
            "TransitionDeclaration(go, [], None, [], user, [a], c, [])",
        ),
    ],
)
def test_declarations(declared: Read, text: str, shape: str) -> None:
    assert declared(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('means "T"', 'Means("T")'),
        ("by a, b answers c", "By([a b])\nAnswers(c)"),
        ("let x = y", "Let(x, y)"),
        ('require a else refuse c "T"', 'Require(a, None, c, "T")'),
        ('require if a then b else c else escalate r c "T"', 'Require(Conditional(a, b, c), r, c, "T")'),
        ('forbid c "T" when a', 'Forbid(c, None, "T", a)'),
        ("confirm agreed by customer", "Confirm(agreed, customer, None, None, None)"),
        ('confirm ok by c within 1 hour when a > 2 "T"', 'Confirm(ok, c, 1hour, (> a 2), "T")'),
        ("set x = y + 1", "Assign(x, (+ y 1))"),
        ("do pay(a, b)", "Perform(Invocation(pay, [a b]), None, None, False)"),
        ("do pay() ensure a undo back(b)", "Perform(Invocation(pay, []), a, Invocation(back, [b]), False)"),
        ("do pay(a) irreversible", "Perform(Invocation(pay, [a]), None, None, True)"),
        ("on failed go stuck", "OnFailure(failed, None, stuck)"),
        ("on timeout 30 seconds go stuck", "OnFailure(timeout, 30second, stuck)"),
    ],
)
def test_clauses(clauses: Read, text: str, shape: str) -> None:
    assert clauses(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            "given requested when a proposes t() then accepted",
            "[GivenState(requested)], When(a, t, [], None), Then(accepted, [], None, [])",
        ),
        (
            "given now = if a then b else c when a proposes t(x: 1, by: 2) confidence 0.9 then refused p, q",
            "[GivenValue(now, Conditional(a, b, c))], When(a, t, [[x 1] [by 2]], 0.9), Then(refused, [p q], None, [])",
        ),
        (
            'given o("1", 2) { state = x, total = 8.00, } when a proposes t() then escalated needs agreed',
            '[GivenEntity(o, ["1" 2], [[state x] [total 8.00]])], When(a, t, [], None),'
            " Then(escalated, [agreed], None, [])",
        ),
        (
            "when a proposes t() then accepted to s with x = 1, y = 2",
            "[], When(a, t, [], None), Then(accepted, [], s, [[x 1] [y 2]])",
        ),
        ("when a proposes t() then escalated", "[], When(a, t, [], None), Then(escalated, [], None, [])"),
    ],
)
def test_scenarios(declared: Read, text: str, shape: str) -> None:
    assert declared(f'scenario "S" {{ {text} }}') == f'ScenarioDeclaration("S", {shape})'


def test_header() -> None:
    spec = parse(Source("test", 'edca 1\nmachine m version "1.2"\n  "What for."\n  tier consequential')).spec
    assert spec is not None
    header = spec.header
    assert (header.language, header.name.text, header.version.value) == (1, "m", "1.2")
    assert header.text is not None and header.tier is not None
    assert (header.text.value, header.tier.text) == ("What for.", "consequential")


def test_spans_are_what_was_written() -> None:
    text = 'edca 1 machine m version "1" define f = (a + b) * c.d'
    spec = parse(Source("test", text)).spec
    assert spec is not None
    (define,) = spec.declarations
    assert define.span.text == "define f = (a + b) * c.d"
    assert isinstance(define, tree.DefineDeclaration)
    body = define.body
    assert isinstance(body, tree.Binary)
    assert body.span.text == "(a + b) * c.d"
    assert body.operator_span.text == "*"
    assert body.left.span.text == "a + b"
    assert isinstance(body.right, tree.Field)
    assert body.right.name.span.text == "d"
