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
        ("int(-5 to 20)", "IntegerType(-5, 20, None)"),
        ("int", "IntegerType(None, None, None)"),
        ("decimal(2, -1.50 to 100)", "DecimalType(2, -1.50, 100, None)"),
        ("decimal(2)", "DecimalType(2, None, None, None)"),
        ("decimal", "DecimalType(None, None, None, None)"),
        ("int(0 to 100) in percent", "IntegerType(0, 100, percent)"),
        ("decimal(2, 0.00 to 9.00) in eur optional", "OptionalType(DecimalType(2, 0.00, 9.00, eur))"),
        ("list(3) of int in percent", "ListType(0, 3, IntegerType(None, None, percent))"),
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
            "EntityDeclaration(order, [Parameter(order_id, SimpleType(id), [])],"
            " [Member(total, money, [fixed secret])])",
        ),
        ('claim why : text(9) by customer "W."', 'ClaimDeclaration(why, TextType(9), [], customer, "W.")'),
        ("effect wipe()", "EffectDeclaration(wipe, [])"),
        ("effect pay(order: order)", "EffectDeclaration(pay, [Parameter(order, order, [])])"),
        ("case about order by order_id", "CaseDeclaration(order, [order_id], None)"),
        ("case about a by b, c fresh 5 minutes", "CaseDeclaration(a, [b c], 5minute)"),
        ("memory { owed: money = 0.00, }", "MemoryDeclaration([MemoryMember(owed, money, [], 0.00)])"),
        ('state s "T"', 'StateDeclaration(s, False, None, False, None, "T")'),
        ('state s initial about user "T"', 'StateDeclaration(s, True, user, False, None, "T")'),
        ('state s final "T" success', 'StateDeclaration(s, False, None, True, success, "T")'),
        ('state s final "T" failure', 'StateDeclaration(s, False, None, True, failure, "T")'),
        (
            'state s "T" { state a initial "A" state b "B" { state c "C" } }',
            'CompositeState(s, "T", [StateDeclaration(a, True, None, False, None, "A")'
            ' CompositeState(b, "B", [StateDeclaration(c, False, None, False, None, "C")])])',
        ),
        ('state s "T" { }', 'CompositeState(s, "T", [])'),
        ('claim why : id personal by c "W."', 'ClaimDeclaration(why, SimpleType(id), [personal], c, "W.")'),
        (
            "memory { owed: money personal secret = 0.00 }",
            "MemoryDeclaration([MemoryMember(owed, money, [personal secret], 0.00)])",
        ),
        ("effect tell(whom: id personal)", "EffectDeclaration(tell, [Parameter(whom, SimpleType(id), [personal])])"),
        ('release order.mail to send, clerk "T"', 'Release(order, mail, [send clerk], "T")'),
        ('release contact to send "T"', 'Release(contact, None, [send], "T")'),
        ("define f = 1", "DefineDeclaration(f, [], 1)"),
        ("define f(a: b) = a", "DefineDeclaration(f, [Parameter(a, b, [])], a)"),
        (
            "table t(a: b, c: d) gives money { | x, any => 1 | 1 to 5, y => -2 }",
            "TableDeclaration(t, [Parameter(a, b, []) Parameter(c, d, [])], money,"
            " [TableRow([x None], 1) TableRow([RangeCell(1, 5) y], (- 2))])",
        ),
        ('forbid frozen "T" when order.frozen', 'Forbid(frozen, None, "T", order.frozen)'),
        ('forbid frozen about order "T" when a', 'Forbid(frozen, order, "T", a)'),
        (
            "transition go from a, b to c { }",
            "TransitionDeclaration(go, None, [], None, [], None, [a b], c, None, [])",
        ),
        (
            "transition go(x: id) about user by x from a to c { by r }",
            "TransitionDeclaration(go, None, [Parameter(x, SimpleType(id), [])], user, [x], None, [a], c, None,"
            " [By([r])])",
        ),
        (
            "transition go.fast from a to c when x > 1 { }",
            "TransitionDeclaration(go, fast, [], None, [], None, [a], c, (> x 1), [])",
        ),
        (
            'mode slow "T" { allow pay, expire enter when failures > 5 per rolling 1 hour enter by a, b'
            " leave when drifts <= 0 per utc weeks leave by c }",
            'ModeDeclaration(slow, "T", [Allow([pay expire]) ModeTrigger(enter, failures, >, 5, Window(rolling, 1hour))'
            " ModeBy(enter, [a b]) ModeTrigger(leave, drifts, <=, 0, Window(utc, 1week)) ModeBy(leave, [c])])",
        ),
        ('never c "T" when a > b', 'NeverWhen(c, None, "T", [], (> a b))'),
        ('never c about order "T" while a, b when d', 'NeverWhen(c, order, "T", [a b], d)'),
        ('never c "T" reaching a, b without t, u', 'NeverReaching(c, "T", [a b], [t u])'),
        ('always c "T" a, b leads to d, e', 'AlwaysLeads(c, "T", [a b], [d e], None)'),
        ('always c "T"\n  a leads to d assuming "F"', 'AlwaysLeads(c, "T", [a], [d], "F")'),
        (
            "transition go() creates user from a to c { }",
            "TransitionDeclaration(go, None, [], None, [], user, [a], c, None, [])",
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
        ('sign twice by 2 of boss "T"', 'Sign(twice, 2, boss, [], None, None, "T")'),
        (
            "sign twice by 2 of boss distinct from proposer, signers of once within 2 days when a",
            "Sign(twice, 2, boss, [proposer History(signers, once)], 2day, a, None)",
        ),
        (
            'limit pace count to 20 per rolling 90 minutes "T"',
            'Limit(pace, None, 20, Window(rolling, 90minute), [], None, "T")',
        ),
        (
            'limit daily sum(a + b) to c per utc day per o.owner, proposer when d "T"',
            'Limit(daily, (+ a b), c, Window(utc, 1day), [o.owner proposer], d, "T")',
        ),
        ("after 14 days unblockable priority 2", "After(14day)\nUnblockable()\nPriority(2)"),
        ('on failed go stuck "T"', 'OnFailure(failed, None, stuck, "T")'),
        ('on timeout 3 days go stuck "T"', 'OnFailure(timeout, 3day, stuck, "T")'),
        ("set x = y + 1", "Assign(x, (+ y 1))"),
        ("do pay(a, b)", "Perform(Invocation(pay, [a b]), None, None, False)"),
        ("do pay() ensure a undo back(b)", "Perform(Invocation(pay, []), a, Invocation(back, [b]), False)"),
        ("do pay(a) irreversible", "Perform(Invocation(pay, [a]), None, None, True)"),
        ("on failed go stuck", "OnFailure(failed, None, stuck, None)"),
        ("on timeout 30 seconds go stuck", "OnFailure(timeout, 30second, stuck, None)"),
    ],
)
def test_clauses(clauses: Read, text: str, shape: str) -> None:
    assert clauses(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            "given requested when a proposes t() then accepted",
            "[Step([GivenState(requested)], Proposal(a, None, t, [], None), Then(accepted, [], None, []))]",
        ),
        (
            "given now = if a then b else c when a proposes t(x: 1, by: 2) confidence 0.9 then refused p, q",
            "[Step([GivenValue(now, Conditional(a, b, c))], Proposal(a, None, t, [[x 1] [by 2]], 0.9),"
            " Then(refused, [p q], None, []))]",
        ),
        (
            'given o("1", 2) { state = x, total = 8.00, } when a proposes t() then escalated needs agreed',
            '[Step([GivenEntity(o, ["1" 2], [[state x] [total 8.00]])], Proposal(a, None, t, [], None),'
            " Then(escalated, [agreed], None, []))]",
        ),
        (
            "when a proposes t() then accepted to s with x = 1, y = 2",
            "[Step([], Proposal(a, None, t, [], None), Then(accepted, [], s, [[x 1] [y 2]]))]",
        ),
        (
            "when a proposes t() then escalated",
            "[Step([], Proposal(a, None, t, [], None), Then(escalated, [], None, []))]",
        ),
        (
            'given proposer of t = "u" given signers of c = ["u"] when a "u" proposes t() then in s with x = 1',
            '[Step([GivenHistory(History(proposer, t), "u") GivenHistory(History(signers, c), ListLiteral(["u"]))],'
            ' Proposal(a, "u", t, [], None), Then(in, [], s, [[x 1]]))]',
        ),
        (
            "given mode = m when a proposes t() then escalated c wait 2 hours when a confirms c then accepted",
            "[Step([GivenValue(mode, m)], Proposal(a, None, t, [], None), Then(escalated, [c], None, []))"
            " Step([Wait(2hour)], Answer(a, None, confirms, c), Then(accepted, [], None, []))]",
        ),
        (
            'when a "u" declines c then refused c when a signs c then in s when a waives c then in s',
            '[Step([], Answer(a, "u", declines, c), Then(refused, [c], None, []))'
            " Step([], Answer(a, None, signs, c), Then(in, [], s, []))"
            " Step([], Answer(a, None, waives, c), Then(in, [], s, []))]",
        ),
        (
            "when pay fails then in s when pay succeeds then in s when pay times out then in s",
            "[Step([], Happening(pay, fails), Then(in, [], s, []))"
            " Step([], Happening(pay, succeeds), Then(in, [], s, []))"
            " Step([], Happening(pay, times), Then(in, [], s, []))]",
        ),
    ],
)
def test_scenarios(declared: Read, text: str, shape: str) -> None:
    assert declared(f'scenario "S" {{ {text} }}') == f'ScenarioDeclaration("S", {shape})'


def test_header() -> None:
    spec = parse(Source("test", 'edca 1\nmachine m version "1.2"\n  "What for."\n  tier consequential')).spec
    assert spec is not None
    header = spec.header
    assert header.version is not None and header.text is not None and header.tier is not None
    assert (header.language, header.name.text, header.version.value) == (1, "m", "1.2")
    assert (header.text.value, header.tier.text) == ("What for.", "consequential")


def test_imports_and_vocabularies() -> None:
    parsed = parse(Source("test", 'edca 1 vocabulary words import "a.edca" import "b/c.edca" role r model'))
    assert parsed.diagnostics == () and parsed.spec is not None
    header, imports = parsed.spec.header, parsed.spec.imports
    assert header.name.text == "words"
    assert header.version is None and header.text is None and header.tier is None
    assert [imported.path.value for imported in imports] == ["a.edca", "b/c.edca"]
    assert len(parsed.spec.declarations) == 1


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('state a { state b "T" state c "T" }', {"a", "b", "c"}),
        ('state a "T" { state b state c "T" }', {"b"}),
        ("mode a { allow t }", {"a"}),
        ("never a when b", {"a"}),
        ("limits a", {"a"}),
    ],
)
def test_names_in_what_could_not_be_read_are_known_as_lost(text: str, lost: set[str]) -> None:
    assert parse(Source("test", f'edca 1 machine m version "1"\n{text}')).lost == lost


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
