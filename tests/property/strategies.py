"""Strategies that the property tests share: types with their values, and well-typed expressions as text."""

from __future__ import annotations

from hypothesis import strategies as st

from edca.kernel.machine import Entity, Parameter
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import TIME_MAX, Value

# --- types and their values ---

BOX = Entity("box", (Parameter("row", IntType(0, 9)), Parameter("label", IdType())), ())
SHELF = Entity("shelf", (Parameter("box", ReferenceType("box")), Parameter("place", DateType())), ())
ENTITIES = {"box": BOX, "shelf": SHELF}
HUE = EnumType("hue", (("red", "red"), ("pale_green", "pale green"), ("blue", "#0000ff")))
DATE_MIN, DATE_MAX = -719_528, 2_932_896  # 0000-01-01 to 9999-12-31
_TIME_MIN = DATE_MIN * 86_400_000_000
_BOUND = st.integers(-(10**9), 10**9)


def _range(bounds: tuple[int, int]) -> tuple[int, int]:
    return min(bounds), max(bounds)


_RANGES = st.tuples(_BOUND, _BOUND).map(_range)
SCALARS: st.SearchStrategy[Type] = st.one_of(
    st.sampled_from([BoolType(), IdType(), HandleType(), DateType(), TimeType(), DurationType()]),
    st.sampled_from([PrincipalType("x"), HUE]),
    _RANGES.map(lambda r: IntType(*r)),
    st.builds(lambda scale, r: DecimalType(scale, *r), st.integers(0, 12), _RANGES),
    st.builds(TextType, st.integers(1, 40)),
    st.sampled_from([ReferenceType("box"), ReferenceType("shelf")]),
)


def _larger(of: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    item = of.filter(lambda type_: not isinstance(type_, OptionalType))
    lists = st.builds(lambda r, type_: ListType(min(r), max(r) + 1, type_), st.tuples(*[st.integers(0, 3)] * 2), item)
    parts = st.lists(of, min_size=1, max_size=4).map(lambda types: tuple((f"p{i}", t) for i, t in enumerate(types)))
    return st.one_of(lists, item.map(OptionalType), parts.map(lambda p: RecordType("record", p)))


TYPES: st.SearchStrategy[Type] = st.recursive(SCALARS, _larger, max_leaves=5)


def values(type_: Type) -> st.SearchStrategy[Value]:
    """All values of a type."""
    match type_:
        case BoolType():
            return st.booleans()
        case IntType(low, high) | DecimalType(_, low, high):
            return st.integers(low, high)
        case TextType(length_max):
            return st.text(max_size=length_max)
        case IdType() | PrincipalType():
            return st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=128)
        case DateType():
            return st.integers(DATE_MIN, DATE_MAX)
        case TimeType():
            return st.integers(_TIME_MIN, TIME_MAX)
        case DurationType():
            return st.integers(-TIME_MAX, TIME_MAX)
        case EnumType(_, pairs):
            return st.sampled_from([name for name, _ in pairs])
        case ReferenceType(entity):
            return st.tuples(*(values(part.type) for part in ENTITIES[entity].key))
        case RecordType(_, parts):
            return st.tuples(*(values(part) for _, part in parts))
        case ListType(low, high, of):
            return st.lists(values(of), min_size=low, max_size=high).map(tuple)
        case OptionalType(of):
            return st.none() | values(of)


# --- expressions as text ---

VOCABULARY = """edca 1 machine m version "1"
role agent model
role person human
enum hue { red | pale_green | blue }
record part { sku: id, count: int(0 to 20), price: decimal(2, 0.00 to 100.00) }
entity thing key (thing_id: id) {
  b: bool, c: bool, i: int(-50 to 50), j: int(0 to 9),
  m: decimal(2, -100.00 to 100.00), f: decimal(4, 0.0000 to 1.0000),
  d: date, e: date, t: time, o: time optional, w: duration, h: hue, s: text(9), k: id, g: int(0 to 5) optional,
  xs: list(4) of int(0 to 9), ps: list(3) of part, friend: thing, friends: list(3) of thing, owner: principal person,
}
claim said : bool by person "Said."
claim felt : hue by person "Felt."
case about thing by thing_id
memory { n: int(-50 to 50) = 3, y: bool = true, z: decimal(2, 0.00 to 9.99) = 1.50 }
state open initial "Open."
state closed final "Closed." success
define both(p: bool, q: bool) = p and not q
define holds(q: bool) = some v0 in thing.xs satisfies q or v0 > 4
define swapped(p: bool, q: bool) = both(q, p) or holds(p)
transition vouch(thing_id: id) from open to closed {
  means "Vouch." by person answers person
  confirm vouched by person "Somebody must vouch for it."
}
"""
FACTS: dict[str, Type] = {
    "b": BoolType(),
    "c": BoolType(),
    "i": IntType(-50, 50),
    "j": IntType(0, 9),
    "m": DecimalType(2, -10_000, 10_000),
    "f": DecimalType(4, 0, 10_000),
    "d": DateType(),
    "e": DateType(),
    "t": TimeType(),
    "o": OptionalType(TimeType()),
    "w": DurationType(),
    "h": EnumType("hue", (("red", "red"), ("pale_green", "pale_green"), ("blue", "blue"))),
    "s": TextType(9),
    "k": IdType(),
    "g": OptionalType(IntType(0, 5)),
    "xs": ListType(0, 4, IntType(0, 9)),
    "ps": ListType(
        0, 3, RecordType("part", (("sku", IdType()), ("count", IntType(0, 20)), ("price", DecimalType(2, 0, 10_000))))
    ),
    "owner": PrincipalType("person"),
}
_LEAVES = {
    "bool": ["true", "false", "thing.b", "thing.c", "y", "said", "thing.friend.b", 'lookup thing("t2").c'],
    "int": ["0", "1", "7", "thing.i", "thing.j", "n", "thing.friend.i", "count(thing.xs)", "thing.g"],
    "money": ["0.00", "1.50", "12.345", "thing.m", "thing.f", "z", "thing.friend.m"],
    "date": ["2024-02-29", "thing.d", "thing.e", "thing.d + 3 days"],
    "time": ["now", "thing.t", "thing.o", "2026-03-20T12:00:00Z"],
    "duration": ["3 days", "thing.w", "90 minutes"],
    "hue": ["thing.h", "felt", "thing.friend.h"],
    "text": ['"a"', "thing.s", '""'],
    "ints": ["thing.xs", "[thing.j, 3]", "thing.friend.xs"],
    "parts": ["thing.ps", "thing.friend.ps"],
    "things": ["thing.friends", "[thing, thing.friend]"],
    "who": ["subject", "proposer", "thing.owner", '"carla"', "proposer of vouch"],
}
_ORDERED = ("int", "money", "date", "time", "duration")


@st.composite
def expressions(draw: st.DrawFn, kind: str = "bool", depth: int = 3, bound: tuple[tuple[str, str], ...] = ()) -> str:
    """The text of an expression of that kind which the vocabulary gives a meaning; `bound` are variables around it."""
    leaves = _LEAVES[kind] + [name for name, of in bound if of == kind]
    leaves += [f"{name}.count" for name, of in bound if of == "part" and kind == "int"]
    leaves += [f"{name}.price" for name, of in bound if of == "part" and kind == "money"]
    leaves += [f"{name}.b" for name, of in bound if of == "thing" and kind == "bool"]
    if depth == 0 or kind not in _FORMS:
        return draw(st.sampled_from(leaves))
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(leaves))
    form = draw(st.sampled_from(_FORMS[kind]))
    variable = f"v{len(bound)}"

    def part(of: str, *more: tuple[str, str]) -> str:
        return draw(expressions(of, depth - 1, (*bound, *more)))

    if "VAR" in form and len(bound) >= 3:
        return draw(st.sampled_from(leaves))
    text = form.replace("VAR", variable)
    for of, element in (("ints", "int"), ("parts", "part"), ("things", "thing")):
        text = text.replace(f"<{of}>", part(of)) if f"<{of}>" in text else text
        for inner in ("bool", "int", "money"):
            hole = f"<{inner} of {element}>"
            while hole in text:
                text = text.replace(hole, part(inner, (variable, element)), 1)
    ordered = draw(st.sampled_from(_ORDERED))
    text = text.replace("<ordered>", f"<{ordered}>")
    for of in _LEAVES:
        while f"<{of}>" in text:
            text = text.replace(f"<{of}>", part(of), 1)
    return f"({text})"


_FORMS = {
    "bool": [
        "not <bool>",
        "<bool> and <bool>",
        "<bool> or <bool> or <bool>",
        "<ordered> <= <ordered>",
        "<ordered> == <ordered>",
        "<ordered> > <ordered>",
        "<int> < <money>",
        "<hue> == <hue>",
        "<hue> in [red, blue]",
        "<text> != <text>",
        "<who> == <who>",
        "<int> in <ints>",
        "<who> in signers of vouched",
        "thing.o is present",
        "thing.friend.g is absent",
        "if <bool> then <bool> else <bool>",
        "every VAR in <ints> satisfies <bool of int>",
        "some VAR in <ints> satisfies <bool of int>",
        "every VAR in <parts> satisfies <bool of part>",
        "some VAR in <things> satisfies <bool of thing>",
        "every VAR in pairs(<ints>) satisfies VAR.first <= VAR.second",
        "some VAR in zip(<ints>, <parts>) satisfies VAR.first == VAR.second.count",
        "both(<bool>, <bool>)",
        "holds(<bool>)",
        "swapped(<bool>, <bool>)",
    ],
    "int": [
        "<int> + <int>",
        "<int> - <int>",
        "<int> * <int>",
        "if <bool> then <int> else <int>",
        "sum(<int of int> for VAR in <ints> where <bool of int>)",
        "count(VAR in <ints> where <bool of int>)",
        "max(<int>, <int>)",
        "min(<ints>)",
        "first(<ints>)",
        "last(<ints>)",
        "max(<int of part> for VAR in <parts>)",
    ],
    "money": [
        "<money> + <money>",
        "<money> - <int>",
        "<money> * 3",
        "sum(<money of part> for VAR in <parts>)",
        "min(<money>, <money>)",
        "if <bool> then <money> else <money>",
    ],
    "date": ["<date> + 1 day", "if <bool> then <date> else <date>", "max(<date>, <date>)"],
    "time": ["<time> + <duration>", "<time> - <duration>"],
    "duration": ["<time> - <time>", "<date> - <date>", "<duration> * <int>", "<duration> + <duration>"],
    "hue": ["if <bool> then <hue> else <hue>"],
    "ints": ["collect(<int of int> for VAR in <ints> where <bool of int>)", "distinct(<ints>)"],
}
