"""Goal: a machine's digest covers all that can change a decision or be read by anybody, and nothing else."""

import re

import pytest
import worlds

TEXT = (worlds.ROOT / "specs/refund/refund.edca").read_text("utf-8")
BODY = TEXT.partition("\nscenario")[0]


def _digest(text: str) -> bytes:
    return worlds.machine_of(text).digest


DIGEST = _digest(TEXT)


def _declarations() -> list[str]:
    """The text of each declaration, with what precedes the first."""
    return re.split(
        r"(?m)^(?=(?:role|enum|type|record|entity|claim|effect|case|memory|state|define|table|forbid|transition)\b)",
        BODY,
    )


def _grouped(kind: str) -> tuple[list[str], list[int]]:
    parts = _declarations()
    return parts, [place for place, part in enumerate(parts) if part.startswith(kind)]


@pytest.mark.parametrize(
    "kind", ["role", "enum", "record", "entity", "claim", "effect", "state", "define", "table", "transition"]
)
def test_the_order_of_declarations_is_nothing(kind: str) -> None:
    parts, places = _grouped(kind)
    moved = [parts[place] for place in reversed(places)]
    for place, part in zip(places, moved, strict=True):
        parts[place] = part.rstrip() + "\n\n"
    assert _digest("".join(parts)) == DIGEST


def test_declarations_may_stand_before_what_they_use() -> None:
    header, *rest = _declarations()
    forbids = [part for part in rest if part.startswith("forbid")]
    others = [part.rstrip() + "\n\n" for part in rest if not part.startswith("forbid")]
    assert _digest(header + "".join(reversed(others)) + "".join(forbids)) == DIGEST


def test_the_order_of_fields_roles_and_sets_is_nothing() -> None:
    swapped = BODY.replace("by      assistant, supervisor", "by supervisor, assistant")
    swapped = swapped.replace(
        "from requested, approved, stuck to declined", "from stuck, approved, requested to declined"
    )
    swapped = swapped.replace(
        "status       : status,\n  total        : money fixed,", "total : money fixed,\n  status : status,"
    )
    assert swapped != BODY
    assert _digest(swapped) == DIGEST


def test_comments_and_formatting_are_nothing() -> None:
    bare = re.sub(r"(?m)\s+#.*$", "", BODY)
    assert "#" not in bare
    assert _digest(bare) == DIGEST
    assert _digest("# hello\n" + BODY.replace("\n", "  # there\n")) == DIGEST
    assert _digest(re.sub(r"[ \t]+", " ", bare)) == DIGEST
    assert _digest(re.sub(r"\s+", " ", bare)) == DIGEST
    assert _digest(BODY.replace("\n", "\r\n")) == DIGEST


def test_scenarios_are_nothing() -> None:
    assert _digest(BODY) == DIGEST


def test_the_order_of_clauses_counts() -> None:
    one, two = "require amount > 0 ", "require order.status == delivered"
    lines = BODY.splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if one in line or two in line]
    assert len(places) == 2
    lines[places[0]], lines[places[1]] = lines[places[1]], lines[places[0]]
    assert _digest("".join(lines)) != DIGEST


@pytest.mark.parametrize("place", range(BODY.count('"') // 2))
def test_every_text_counts(place: int) -> None:
    """Every quoted text, in turn: a person or a model may read it, or a decision compares with it."""
    texts = list(re.finditer(r'"(?:[^"\\]|\\.)*"', BODY))
    assert len(texts) == BODY.count('"') // 2
    found = texts[place]
    changed = BODY[: found.end() - 1] + "x" + BODY[found.end() - 1 :]
    assert _digest(changed) != DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("100000.00)", "100000.01)"),
        ("text(400)", "text(401)"),
        ("bool secret", "bool"),
        ("money fixed,\n  refunded", "money,\n  refunded"),
        ("fresh 5 minutes", "fresh 6 minutes"),
        ("fresh 5 minutes", ""),
        ("money = 0.00", "money = 0.01"),
        ("<= 30 days", "< 30 days"),
        ("30 days", "31 days"),
        ("regular, true  => 500.00", "regular, true  => 500.01"),
        (">= 0.85", ">= 0.8501"),
        ("within 30 minutes", "within 31 minutes"),
        ("within 30 minutes", ""),
        ("escalate supervisor unsure", "refuse unsure"),
        ("else refuse over_total", "else refuse over_all"),
        ('go stuck "The money', 'go approved "The money'),
        ("on timeout 30 seconds", "on timeout 31 seconds"),
        ('stuck "Nobody', 'approved "Nobody'),
        ("by 2 of supervisor", "by 3 of supervisor"),
        (" distinct from proposer", ""),
        ("within 2 days", "within 3 days"),
        ("after   14 days", "after 15 days"),
        ("from requested, approved, stuck to declined", "from requested, stuck to declined"),
        ("set promised = 0.00", "set promised = 0.01"),
        ("int(1 to 20)", "int(1 to 21)"),
        ("{ regular | gold }", '{ regular | gold "Gold" }'),
        (" success", " failure"),
        ("list(1 to 50)", "list(0 to 50)"),
    ],
)
def test_every_rule_counts(old: str, new: str) -> None:
    changed = BODY.replace(old, new, 1)
    assert changed != BODY
    assert _digest(changed) != DIGEST
