"""Goal: the formatter keeps every comment where it is, folds what is too long, and leaves alone what it can't read."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edca.diagnostics import Source, concise
from edca.dsl.format import format_source
from edca.dsl.parse import parse
from edca.kernel.machine import Machine
from edca.semantic.compile import compile_spec
from edca.semantic.imports import File

ROOT = Path(__file__).resolve().parents[3]
HEADER = 'edca 1\n\nmachine m version "1"\n\n'
SPECS = sorted((ROOT / "specs").glob("*/*.edca"))


def formatted(text: str) -> str:
    result = format_source(Source("test", text))
    assert result.text is not None, concise(result.diagnostics)
    assert format_source(Source("test", result.text)).text == result.text
    return result.text


def below_header(text: str) -> str:
    return formatted(HEADER + text).removeprefix(HEADER)


def corpus() -> Iterator[str]:
    """Every part of the syntax corpus, most of them wrong in one place, and every example of the grammar."""
    for path in sorted((ROOT / "tests" / "corpus" / "syntax").glob("*.edca")):
        for chunk in re.split(r"(?m)^---\n", path.read_text("utf-8")):
            yield HEADER + re.sub(r"###.*", "", chunk)
    grammar = (ROOT / "docs" / "reference" / "grammar.md").read_text("utf-8")
    for example in re.findall(r"```edca\n(.*?)```", grammar, re.S):
        yield example if example.startswith("edca") else HEADER + example


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_of_ours_keeps_its_digest(path: Path) -> None:
    def machine(laid_out: Callable[[str], str]) -> Machine | None:
        def read(name: str) -> File:
            return File(name, Source(name, laid_out((path.parent / name).read_text("utf-8"))))

        return compile_spec(read(path.name).source, read).machine

    before, after = machine(str), machine(formatted)
    assert before is not None and after is not None
    assert after.digest == before.digest


def test_what_can_be_read_is_formatted_and_nothing_else_is() -> None:
    counts = {True: 0, False: 0}
    for text in corpus():
        right = not parse(Source("test", text)).diagnostics
        counts[right] += 1
        if right:
            formatted(text)
        else:
            result = format_source(Source("test", text))
            assert result.text is None and result.diagnostics
    assert min(counts.values()) > 15


def test_a_spec_of_2000_lines_is_formatted_in_two_seconds() -> None:
    text = (ROOT / "specs" / "airline" / "airline.edca").read_text("utf-8")
    head, mark, tail = text.partition("# --- booking ---")
    text = head + (mark + tail) * (2000 // tail.count("\n") + 1)
    format_source(Source("once", HEADER))  # building the parser isn't formatting
    started = time.process_time()
    result = format_source(Source("long", text))
    assert time.process_time() - started < 2
    assert result.text is not None and result.text.count("\n") > 1500


class TestComments:
    """Where comments may stand."""

    def test_before_the_header_and_at_the_end(self) -> None:
        text = '# first\n\nedca 1 # one\n# two\nmachine m # three\nversion "1"\n# last\n\n\n# of all'
        assert formatted(text) == (
            '# first\n\nedca 1  # one\n\n# two\nmachine m  # three\n  version "1"\n# last\n\n# of all\n'
        )

    def test_in_an_empty_block(self) -> None:
        assert below_header("transition t from a to b { # one\n\n# two\n\n}") == (
            "transition t\n  from a to b\n{  # one\n  # two\n}\n"
        )

    def test_before_a_comma_it_goes_behind_it(self) -> None:
        assert below_header("record r { a: id # one\n, # two\n b: id # three\n, # four\n}") == (
            "record r {\n  a : id,  # one\n           # two\n  b : id   # three\n           # four\n}\n"
        )

    def test_on_a_line_of_its_own_before_a_comma_it_goes_above_what_follows(self) -> None:
        assert below_header("record r { a: id\n# one\n, b: id }") == "record r {\n  a : id,\n  # one\n  b : id\n}\n"

    def test_within_an_expression_it_breaks_the_line(self) -> None:
        assert below_header("define d = a and # one\n# two\nb") == ("define d =\n  a\n  and  # one\n  # two\n  b\n")

    def test_a_new_comment_below_a_trailing_one_isn_t_its_continuation(self) -> None:
        text = "role a model  # one\n# two\nrole b human  # three\n"
        assert below_header(text) == text

    def test_comments_far_apart_have_columns_of_their_own(self) -> None:
        text = (
            "type a = id  # one\n"
            f"type a_name_that_is_longer_than_most = one of {' | '.join(f'value_{i}' for i in range(6))}  # two\n"
        )
        assert below_header(text) == text

    def test_windows_line_ends_become_plain_ones(self) -> None:
        assert below_header("role a model # one\r\n\r\n\r\n# two\r\nrole b human\r\n") == (
            "role a model  # one\n\n# two\nrole b human\n"
        )


class TestFolding:
    """What doesn't fit on one line."""

    def test_a_long_enum_has_a_line_for_each_value(self) -> None:
        values = [f"value_number_{i}" for i in range(9)]
        lines = " |\n  ".join(values)
        assert below_header(f"enum e {{ {' | '.join(values)} }}") == f"enum e {{\n  {lines}\n}}\n"

    def test_a_long_list_of_names_is_wrapped(self) -> None:
        codes = [f"code_number_{i}" for i in range(12)]
        text = below_header(f'scenario "s" {{ when a proposes t() then refused {", ".join(codes)} }}')
        assert text == (
            'scenario "s" {\n  when a proposes t()\n'
            f"  then refused {', '.join(codes[:7])},\n               {', '.join(codes[7:])}\n}}\n"
        )

    def test_an_else_if_stands_below_its_if(self) -> None:
        branches = "".join(f"if condition_{i} then value_{i} else " for i in range(4))
        assert below_header(f"define d = {branches}value_at_last") == (
            "define d =\n  if condition_0\n  then value_0\n  else if condition_1\n  then value_1\n"
            "  else if condition_2\n  then value_2\n  else if condition_3\n  then value_3\n  else value_at_last\n"
        )

    def test_a_comparison_breaks_at_its_sign_or_within_its_brackets(self) -> None:
        long = "a_name_that_is_very_long_indeed.and_a_field_that_is_even_longer_than_that"
        assert below_header(f"define d = {long} == {long}") == f"define d =\n  {long}\n    == {long}\n"
        assert below_header(f"define d = f({long}, {long}) == 1") == (f"define d =\n  f({long},\n    {long}) == 1\n")

    def test_a_confirm_has_a_line_for_its_condition_and_its_text(self) -> None:
        text = "x" * 80
        clause = f'confirm agreed by customer within 30 minutes when amount > 5 "{text}"'
        assert below_header(f"transition t from a to b {{ {clause} }}") == (
            "transition t\n  from a to b\n{\n  confirm agreed by customer within 30 minutes\n"
            f'    when amount > 5\n    "{text}"\n}}\n'
        )

    def test_a_sign_and_a_limit_have_lines_like_a_confirm(self) -> None:
        text = "x" * 70
        signed = (
            f'sign twice by 2 of boss distinct from proposer, signers of once within 2 days when amount > 5 "{text}"'
        )
        limited = f'limit daily sum(amount) to 5000.00 per utc day per order.owner, proposer when amount > 5 "{text}"'
        assert below_header(f"transition t from a to b {{ {signed} {limited} }}") == (
            "transition t\n  from a to b\n{\n"
            "  sign twice by 2 of boss distinct from proposer, signers of once within 2 days\n"
            f'    when amount > 5\n    "{text}"\n'
            "  limit daily sum(amount) to 5000.00 per utc day per order.owner, proposer\n"
            f'    when amount > 5\n    "{text}"\n}}\n'
        )

    def test_the_guard_of_a_branch_goes_below_its_way(self) -> None:
        guard = " or ".join([*(f"condition_{i}" for i in range(7)), "c"])
        assert below_header(f"transition t.one from a to b when {guard} {{ }}") == (
            f"transition t.one\n  from a to b\n    when {guard}\n{{\n}}\n"
        )

    def test_a_text_that_is_too_long_goes_below(self) -> None:
        text = "x" * 106
        assert below_header(f'state open "{text}" {{ state a "A" }}') == (
            f'state open\n  "{text}" {{\n  state a "A"\n}}\n'
        )
        assert below_header(f'release a.b to c, d "{text}"') == f'release a.b to c, d\n  "{text}"\n'
        assert below_header(f'transition t from a to b {{ on failed go c "{text}" }}') == (
            f'transition t\n  from a to b\n{{\n  on failed go c\n    "{text}"\n}}\n'
        )
        assert below_header(f'always c "{text}" a leads to b') == f'always c\n  "{text}"\n  a leads to b\n'
        assert (
            below_header(f'never c "{text}" reaching a without b') == f'never c\n  "{text}"\n  reaching a without b\n'
        )

    def test_states_in_states(self) -> None:
        text = 'state a "A" { state b "B" state c "C" { # why\n state d "D" } # inner\n state e "E" # last\n }'
        assert below_header(text) == (
            'state a "A" {\n  state b "B"\n\n  state c "C" {  # why\n    state d "D"\n  }  # inner\n\n'
            '  state e "E"  # last\n}\n'
        )

    def test_the_rows_of_a_table_that_doesn_t_check_are_formatted_too(self) -> None:
        assert below_header("table t(a: bool, b: bool) gives int { | true, any => 1 | false => 22 }") == (
            "table t(a: bool, b: bool) gives int {\n  | true, any => 1\n  | false => 22\n}\n"
        )

    def test_what_an_author_wrote_in_full_stays(self) -> None:
        text = (
            "type n = int(-5 to 5)\ntype l = list(0 to 5) of id\n"
            'define d = ((a)) and "\\"\\n\\\\" == b and 1 day < 05 hours and not -x in [1, 2]\n'
        )
        assert below_header(text).split() == text.split()
