"""Goal: the list of codes is well formed, and its prose keeps to the house's style."""

import pytest

from edca.diagnostics import CODES, Code, find_code
from edca.diagnostics.codes import _registry

_PHASES = "PNTCKRMLI"


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.id)
def test_summary_is_one_sentence(code: Code) -> None:
    assert code.summary.endswith(".")
    assert "\n" not in code.summary
    assert len(code.summary) <= 110


def test_codes_stand_in_order() -> None:
    ids = list(CODES)
    assert ids == sorted(ids, key=lambda id: (_PHASES.index(id[0]), id))


@pytest.mark.parametrize("key", ["T003", "t003", "unknown-attribute"])
def test_found_by_id_or_name(key: str) -> None:
    assert find_code(key) == CODES["T003"]


@pytest.mark.parametrize("key", ["", "T999", "UNKNOWN-ATTRIBUTE"])
def test_not_found(key: str) -> None:
    assert find_code(key) is None


@pytest.mark.parametrize(
    "codes",
    [
        (Code("T1", "short", "."),),
        (Code("T001", "Not-Kebab", "."),),
        (Code("T001", "one", "."), Code("T001", "two", ".")),
        (Code("T001", "one", "."), Code("T002", "one", ".")),
    ],
    ids=["id", "name", "same id", "same name"],
)
def test_malformed_lists_are_refused(codes: tuple[Code, ...]) -> None:
    with pytest.raises(ValueError, match="diagnostic code"):
        _registry(codes)
