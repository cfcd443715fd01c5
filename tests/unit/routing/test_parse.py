"""Goal: a routes file that can't be read says where and why, all at once, and never raises."""

import logging
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark, logger

from edca.diagnostics import Source
from edca.routing.parse import DECLARATIONS, START_RULES, Parsed, parse

_HEAD = 'arp 1\nroutes r version "1" for m\n'


def _parse(text: str) -> Parsed:
    return parse(Source("t.arp", text))


def _found(text: str) -> list[tuple[str, str]]:
    return [(finding.code.id, finding.primary.span.text) for finding in _parse(text).diagnostics]


def test_the_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    text = files("edca.routing").joinpath("routes.lark").read_text(encoding="utf-8")
    logger.addHandler(caplog.handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        Lark(text, parser="lalr", start=list(START_RULES), debug=True)
    finally:
        logger.setLevel(level)
        logger.removeHandler(caplog.handler)
    assert [record.message for record in caplog.records if "onflict" in record.message] == []


def test_the_sample_parses(text: str) -> None:
    parsed = _parse(text)
    assert parsed.diagnostics == ()
    assert parsed.file is not None
    assert [entity.name.text for entity in parsed.file.entities] == ["parcel", "customer", "slot"]
    assert [len(entity.members) for entity in parsed.file.entities] == [25, 1, 1]
    assert [len(effect.statements) for effect in parsed.file.effects] == [5, 2]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", []),
        ("entity a from s.t key (k) { x = }", [("P001", "=")]),
        ("entity a from s.t key (k)", [("P001", ")")]),
        ("entity a from s.t key (k) {\n x = c\n", [("P001", "{")]),
        ("entity a from t key (k) { }", [("P001", "key")]),
        ("entity a from s.t key (k) {\n x = c as\n y = ,\n z = d\n}", [("P001", "as"), ("P001", ",")]),
        ("effect e( on s { }", [("P001", "s")]),
        ("effect e() on s { select t }", [("P001", "select")]),
        ("effect e() on s { update t set a = 1 }", [("P001", "}")]),
        ("effect e() on s { check t where a = 1 }", [("P001", "}")]),
        ("effect e() on s { delete t }", [("P001", "}")]),
        ('source s sql env "S', [("P002", '"S')]),
        ('source s smtp env "S"', [("P001", "smtp")]),
        ("codes c for e { a = 1.5 }", [("P003", "1.5")]),
        ("codes c for e { a = 'x' }", [("P004", "'x'")]),
        ("entty a from s.t key (k) { }", [("P001", "entty")]),
        ("effect e() on s { delete t where a ~ 1 }", [("P004", "~")]),
    ],
)
def test_mistakes_are_found_where_they_are(body: str, found: list[tuple[str, str]]) -> None:
    assert _found(_HEAD + body) == found


def test_one_mistake_a_declaration() -> None:
    text = _HEAD + "codes c for e { a = }\nentity a from s.t key (k) {\n x = (\n y = c\n}\neffect e() on s { oops }\n"
    parsed = _parse(text)
    assert [finding.primary.span.line for finding in parsed.diagnostics] == [3, 5, 8]
    assert parsed.file is not None
    assert [member.name.text for member in parsed.file.entities[0].members] == ["y"]


def test_a_misspelt_word_is_repaired() -> None:
    (finding,) = _parse(_HEAD + "entty a from s.t key (k) { }").diagnostics
    assert finding.help == "did you mean `entity`?"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["P007", "P001"]),
        ("arp 1", ["P001"]),
        ('arp 2\nroutes r version "1" for m', ["P005"]),
        ('routes r version "1" for m', ["P007"]),
        ("x" * 1_000_001, ["P006"]),
        (_HEAD + "effect e() on s " + "{ for a in b " * 60, ["P006"]),
    ],
    ids=["empty", "no header", "other version", "no version", "too large", "too deep"],
)
def test_what_every_file_has(text: str, codes: list[str]) -> None:
    assert [finding.code.id for finding in _parse(text).diagnostics] == codes


def test_words_of_the_language_are_names_where_they_can_be() -> None:
    body = "".join(f"  {word} = {word}_c\n" for word in (*DECLARATIONS, "state", "where", "rows", "by", "first"))
    parsed = _parse(_HEAD + f"entity entity from s.t key (key) {{\n{body}  x = `where`\n}}")
    assert parsed.diagnostics == ()


@given(st.text(alphabet="arp 1\n{}()=,.\"`#-+<>!aentityffectsourcekyw0Ωé\x00'", max_size=200), st.integers(0, 1200))
def test_no_text_raises(noise: str, cut: int) -> None:
    sample = files("edca.routing").joinpath("routes.lark").read_text(encoding="utf-8")
    for text in (noise, _HEAD + noise, _HEAD + sample[cut : cut + 80] + noise):
        parsed = _parse(text)
        assert parsed.file is not None or parsed.diagnostics
        assert len(parsed.diagnostics) <= 1000
