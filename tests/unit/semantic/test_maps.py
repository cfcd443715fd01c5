"""Goal: a map that leaves anything out is told so, on the line that earns it; one that compiles says all there is."""

import dataclasses
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.api.imports import reader
from edca.diagnostics import CODES, Source, human, ordered
from edca.dsl.parse_migration import parse_map
from edca.kernel.canonical import CanonicalError
from edca.kernel.migration import Forgotten, LimitMove, LimitName, Migration
from edca.semantic.compile import compile_spec
from edca.semantic.migration import compile_map
from edca.semantic.migration_draft import draft_map

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "tests" / "corpus" / "migration"
CHUNKS = re.split(r"(?m)^---\n", (CORPUS / "maps.migration").read_text("utf-8"))
EXPECTED = re.compile(r'([A-Z][0-9]{3}) "((?:[^"\\]|\\.)*)"')
SPECS = [*sorted(ROOT.glob("specs/*/*.edca")), ROOT / "specs/refund/next/refund.edca"]

# What only two other versions can earn has a page whose example is tested: `docs/errors`.
ELSEWHERE = {"M010"}


def machine(text, name="spec.edca"):
    compiled = compile_spec(Source(name, text), reader(name))
    assert compiled.machine is not None, human(compiled.diagnostics)
    return compiled.machine


OLD, NEW = (machine((CORPUS / name).read_text("utf-8"), name) for name in ("old.edca", "new.edca"))


def text_of(chunk):
    return "\n".join(line.partition("###")[0].rstrip() for line in chunk.splitlines()) + "\n"


def compiled(text, old=OLD, new=NEW):
    return compile_map(Source("claims.migration", text), old, new)


def migration(text, old=OLD, new=NEW):
    found = compiled(text, old, new)
    assert found.migration is not None, human(found.diagnostics)
    return found.migration


@pytest.mark.parametrize("chunk", CHUNKS, ids=itertools.count())
def test_findings_stand_where_expected(chunk):
    expected = [
        (number, code, pattern)
        for number, line in enumerate(chunk.splitlines(), start=1)
        for code, pattern in EXPECTED.findall(line.partition("###")[2])
    ]
    found = [
        (one.primary.span.line, one.code.id, one.message)
        for one in ordered(compiled(text_of(chunk)).diagnostics).diagnostics
    ]
    missing = [e for e in expected if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for f in found)]
    surplus = [f for f in found if not any(e[:2] == f[:2] and re.search(e[2], f[2]) for e in expected)]
    assert (missing, surplus) == ([], [])
    assert len(found) == len(expected)


def test_every_code_of_maps_has_a_case():
    covered = {code for chunk in CHUNKS for code, _ in EXPECTED.findall(chunk)}
    assert {code for code in CODES if code[0] == "M"} - covered == ELSEWHERE


def test_what_another_takes_the_place_of_is_not_kept_by_its_name():
    new = dataclasses.replace(OLD, version="3.0.0")
    text = 'edca 1\nmigrate claims from "1.0.0" to "3.0.0" "x"\n'
    assert compiled(text, OLD, new).diagnostics == ()
    found = compiled(f"{text}proposer of grant = proposer of take\n", OLD, new).diagnostics
    assert [one.code.id for one in found] == ["M007"]
    weekly = dataclasses.replace(OLD, version="3.0.0", transitions=tuple(map(with_a_second_limit, OLD.transitions)))
    old = dataclasses.replace(OLD, transitions=weekly.transitions)
    found = compiled(f"{text}limit grant.daily = grant.weekly\n", old, weekly).diagnostics
    assert [one.code.id for one in found] == ["M008"]


def with_a_second_limit(transition):
    more = tuple(dataclasses.replace(one, code="weekly") for one in transition.clauses if one.code == "daily")
    return dataclasses.replace(transition, clauses=(*transition.clauses, *more))


def test_a_compiled_map_is_total_and_its_bytes_give_it_back():
    found = migration(text_of(CHUNKS[0]))
    assert [move.source for move in found.states] == sorted(OLD.index.states)
    assert {move.source: move.target for move in found.states}["second"] == "judged"
    assert [item.name for item in found.memory] == sorted(NEW.index.memory)
    daily, pace = LimitName("award", "daily"), LimitName("take", "pace")
    assert found.limits == (LimitMove(daily, LimitName("grant", "daily")), LimitMove(pace, None))
    assert found.forgotten == (
        Forgotten("flag", "Nobody reads it."),
        Forgotten("limit take.pace", "It counts per customer now."),
    )
    assert Migration.from_bytes(found.to_bytes()) == found
    assert (found.source, found.target) == (OLD.digest, NEW.digest)


def test_bytes_that_hold_something_else_are_no_map():
    with pytest.raises(CanonicalError):
        Migration.from_bytes(NEW.to_bytes())


def test_comments_and_the_order_of_lines_are_no_part_of_a_map():
    head, *lines = re.split(r"(?m)^(?=state|memory|forget|proposer|signers|limit)", text_of(CHUNKS[0]))
    turned = head + "# The other way round.\n" + "".join(f"{line.rstrip()}\n" for line in reversed(lines))
    assert migration(turned).digest == migration(text_of(CHUNKS[0])).digest


def test_each_line_is_part_of_the_digest():
    text = text_of(CHUNKS[0])
    digest = migration(text).digest
    for before, after in (
        ("to judged keeping", "to judged restarting"),
        ("memory awarded = granted", "memory awarded = granted + 0.01"),
        ("Nobody reads it.", "Nobody has read it."),
        ("Awards, and", "Awards and"),
    ):
        assert before in text
        assert migration(text.replace(before, after)).digest != digest


def test_a_line_for_a_composite_state_holds_for_those_within_that_have_none():
    text = text_of(CHUNKS[0])
    wide = migration(text + "state open to shut restarting time\n")
    assert {move.source: (move.target, move.keeps_time) for move in wide.states} == {
        "asked": ("asked", True),
        "first": ("shut", False),
        "second": ("judged", True),
        "shut": ("shut", True),
    }


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.as_posix().removeprefix(f"{ROOT.as_posix()}/specs/"))
def test_a_new_version_number_alone_needs_no_line(path):
    old = machine(path.read_text("utf-8"), path.as_posix())
    new = dataclasses.replace(old, version="99")
    found = migration(f'edca 1\nmigrate {old.name} from "{old.version}" to "99" "Only the number."\n', old, new)
    assert all(move.source == move.target and move.keeps_time for move in found.states)
    assert (found.history, found.limits, found.forgotten) == ((), (), ())


def versions():
    """Return pairs of machines that differ in many ways; they need not have anything to do with each other."""
    machines = [OLD, NEW, *(machine(path.read_text("utf-8"), path.as_posix()) for path in SPECS)]
    return list(itertools.permutations(machines, 2))


def test_what_is_drafted_compiles_whatever_the_versions_are():
    seen = 0
    for old, other in versions():
        new = dataclasses.replace(other, name=old.name, version="99")
        found = compiled(draft_map(old, new), old, new)
        assert {one.code.id for one in found.diagnostics} <= {"M010"}, human(found.diagnostics)
        seen += found.migration is not None
    assert seen >= 4


def test_a_draft_names_the_likely_successor_of_a_field():
    draft = draft_map(OLD, NEW)
    assert "memory awarded = granted\n" in draft
    assert 'forget flag "Say why."' in draft


def codes(text):
    return [one.code.id for one in parse_map(Source("m", text)).diagnostics]


def test_a_map_that_is_too_long_or_hardly_one_is_told_so():
    assert codes("#" * 1_000_001) == ["P006"]
    assert codes("edca 1\n" + "' \n" * 300)[-1] == "P006"
    assert codes("") == ["P007", "P001"]
    assert codes('edca 2\nmigrate a from "1" to "2" "x"') == ["P005"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from("drs")), min_size=1, max_size=4)
)
def test_a_damaged_map_compiles_or_is_told_why_within_its_text(damages):
    pieces = re.findall(r'"[^"]*"|\\w+|\\s+|.', text_of(CHUNKS[0]))
    for first, second, how in damages:
        i, j = first % len(pieces), second % len(pieces)
        match how:
            case "d":
                del pieces[i]
            case "r":
                pieces.insert(i, pieces[j])
            case _:
                pieces[i], pieces[j] = pieces[j], pieces[i]
    source = Source("claims.migration", "".join(pieces))
    found = compile_map(source, OLD, NEW)
    assert (found.migration is None) == bool(found.diagnostics)
    assert all(0 <= one.primary.span.start <= one.primary.span.end <= len(source.text) for one in found.diagnostics)
