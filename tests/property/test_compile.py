"""Goal: compiling never raises and always ends, whatever the text; what is dropped or doubled is found, not guessed."""

import time

import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Severity, Source, human
from edca.kernel.inputs import Inputs
from edca.kernel.roster import Principal, Roster
from edca.semantic.compile import compile_spec

TEXT = (worlds.ROOT / "specs/refund/refund.edca").read_text("utf-8").partition("scenario")[0]
LINES = TEXT.splitlines(keepends=True)
WORDS = TEXT.split(" ")


def _compile(text: str) -> None:
    compiled = compile_spec(Source("mutated.edca", text))
    errors = [found for found in compiled.diagnostics if found.severity is Severity.ERROR]
    assert (compiled.machine is None) == bool(errors)
    human(compiled.diagnostics)


@given(st.data())
@settings(max_examples=60)
def test_mutated_specs_compile_or_are_explained(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        place, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["drop", "double", "swap", "replace word"])):
            case "drop":
                lines[place] = ""
            case "double":
                lines[place] *= 2
            case "swap":
                lines[place], lines[other] = lines[other], lines[place]
            case _:
                words = lines[place].split(" ")
                spot = data.draw(st.integers(0, len(words) - 1))
                words[spot] = data.draw(st.sampled_from(WORDS)).strip("\n") + ("\n" if words[spot][-1:] == "\n" else "")
                lines[place] = " ".join(words)
    _compile("".join(lines))


CASE = """edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) { a: bool }
case about thing by thing_id
state open initial "Open."
state closed final "Closed." success
"""


def _using(name: str, argument: str) -> str:
    return f"""transition close(thing_id: id) from open to closed {{
      means "Close." by person answers person require {name}({argument}) else refuse r "R." }}"""


@pytest.mark.parametrize(
    "defines",
    [
        # Each doubles what the one before it makes: 2^40 parts if all were written out.
        "define d0(x: bool) = x\n"
        + "".join(f"define d{i}(x: bool) = d{i - 1}(x) and d{i - 1}(not x)\n" for i in range(1, 41)),
        # Each adds 40 levels to the one before it.
        "define d0(x: bool) = x\n"
        + "".join(f"define d{i}(x: bool) = {'not (' * 40}d{i - 1}(x){')' * 40}\n" for i in range(1, 41)),
        # The argument doubles, not the body.
        "define d0(x: bool) = x\n" + "".join(f"define d{i}(x: bool) = d{i - 1}(x or not x)\n" for i in range(1, 41)),
    ],
    ids=["wide", "deep", "in the argument"],
)
def test_defines_inside_defines_are_bounded(defines: str) -> None:
    start = time.perf_counter()
    _compile(CASE + defines + _using("d40", "thing.a"))
    assert time.perf_counter() - start < 3


def test_a_wide_table_is_bounded() -> None:
    values = " | ".join(f"v{i}" for i in range(100))
    columns = ", ".join(f"c{i}: hue" for i in range(12))
    table = f"enum hue {{ {values} }}\ntable wide({columns}) gives bool {{ | {', '.join(['any'] * 12)} => true }}\n"
    start = time.perf_counter()
    _compile(CASE + table)
    assert time.perf_counter() - start < 3


def test_lets_inside_lets_are_bounded() -> None:
    """Each names the one before it twice: a walk that follows each use takes 2^18 steps."""
    lets = "let l0 = thing.a\n" + "".join(f"let l{i} = l{i - 1} and not l{i - 1}\n" for i in range(1, 19))
    text = f"""transition close(thing_id: id) from open to closed {{ means "Close." by person answers person
      {lets} require l18 else refuse r "R." }}"""
    machine = worlds.machine_of(CASE + text)
    inputs = Inputs(worlds.NOW, "test", {}, (), Roster((Principal("pat", ("person",)),), ()), None)
    case = worlds.case_of(machine, "thing", ("t",), "open")
    setup = worlds.Setup(machine, case, worlds.proposal("close", "pat", "person", None, thing_id="t"), inputs)
    start = time.perf_counter()
    setup.bytes()
    assert time.perf_counter() - start < 0.2
